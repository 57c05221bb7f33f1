"""A calculator: exact arithmetic on an expression that the model writes."""

import ast
import operator
from collections.abc import Callable
from decimal import Decimal, DecimalException, localcontext

from ...toolkit import Turn, tool

MAX_LENGTH = 300
PRECISION = 50
MAX_EXPONENT = 1000

_OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def evaluate(expression: str) -> Decimal:
    """The value of `expression`, to 50 digits.

    Raises `ValueError`, with a message for the model, for anything but arithmetic.
    """
    if len(expression) > MAX_LENGTH:
        raise ValueError("The expression is too long.")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        with localcontext(prec=PRECISION):
            return +_value(tree.body, expression.strip())
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError("That is not an arithmetic expression.") from None
    except DecimalException:
        raise ValueError("That has no value: a division by zero, or a number too large.") from None


def _value(node: ast.expr, source: str) -> Decimal:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            # From the source, so that 0.1 is 0.1 and not the nearest float.
            return Decimal((ast.get_source_segment(source, node) or "").replace("_", ""))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, source)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, source)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            first, second = _value(left, source), _value(right, source)
            if isinstance(op, ast.Pow) and abs(second) > MAX_EXPONENT:
                raise ValueError("That exponent is too large.")
            return _OPERATORS[type(op)](first, second)
    raise ValueError("Only numbers, + - * / // % ** and parentheses.")


@tool
async def calculate(turn: Turn, expression: str) -> Decimal | str:  # noqa: ARG001 - a tool's signature
    """The exact value of an arithmetic expression, in decimal.

    Args:
        expression: Numbers with + - * / // % ** and parentheses, such as 12.5 * (3 + 4).
    """
    try:
        return evaluate(expression)
    except ValueError as error:
        return str(error)
