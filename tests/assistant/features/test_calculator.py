"""The calculator is exact, and evaluates nothing but arithmetic."""

from decimal import Decimal

import pytest

from functions.assistant.features.calculator import evaluate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12.5 * (3 + 4)", "87.5"),
        ("0.1 + 0.2", "0.3"),
        ("-2 ** 2", "-4"),
        ("7 // 2", "3"),
        ("1_000 % 7", "6"),
        ("1e3 / 8", "125"),
    ],
)
def test_arithmetic_is_exact(expression, value):
    assert evaluate(expression) == Decimal(value)


@pytest.mark.parametrize(
    "expression",
    ["", "1 +", "1 / 0", "9 ** 9 ** 9", "__import__('os')", "a + 1", "[1]", "True + 1", "1" * 400,
     "(" * 200, "'a' * 3", "10 ** 1001", "0x10", "1j"],
)  # fmt: skip
def test_anything_but_arithmetic_is_an_error(expression):
    with pytest.raises(ValueError, match=r"\w+"):
        evaluate(expression)


async def test_the_tool_returns_the_error_as_text(use):
    assert (await use("calculate", expression="6 * 7")).call.result == '"42"'
    assert "arithmetic" in (await use("calculate", expression="six times seven")).call.result
