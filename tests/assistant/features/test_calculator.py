"""The calculator is exact, and cannot be made to do anything else."""

from decimal import Decimal

import pytest

from functions.assistant.features.calculator import calculate, evaluate


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
def test_sums_come_out_exactly(expression, value):
    assert evaluate(expression) == Decimal(value)


@pytest.mark.parametrize(
    "expression",
    ["", "1 +", "1 / 0", "9 ** 9 ** 9", "__import__('os')", "a + 1", "[1]", "True + 1", "1" * 400,
     "(" * 200, "'a' * 3", "10 ** 1001", "0x10", "1j"],
)  # fmt: skip
def test_anything_else_is_refused_in_words(expression):
    with pytest.raises(ValueError, match=r"\w+"):
        evaluate(expression)


async def test_the_tool_says_in_words_what_is_wrong(turn):
    assert await calculate.function(turn, "6 * 7") == Decimal(42)
    assert "arithmetic" in await calculate.function(turn, "six times seven")
