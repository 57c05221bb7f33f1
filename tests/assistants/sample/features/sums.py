"""Tools that only answer: a sum, and one that reports its progress."""

from decimal import Decimal

from functions.toolkit import Turn, tool


@tool
async def add(turn: Turn, a: Decimal, b: Decimal) -> Decimal:
    """Adds two numbers.

    Args:
        a: One number.
        b: Another one.
    """
    return a + b


@tool
async def look_around(turn: Turn) -> str:
    """Looks around, step by step."""
    for step in range(3):
        await turn.progress(f"step {step + 1} of 3", icon="search")
    return "There is nothing."
