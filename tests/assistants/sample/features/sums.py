"""Tools that only answer: a sum, one that reports its progress, one that reads conversations."""

import asyncio
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
async def multiply(turn: Turn, a: Decimal, b: Decimal) -> Decimal:
    """Multiplies two numbers.

    Args:
        a: One number.
        b: Another one.
    """
    return a * b


@tool
async def look_around(turn: Turn) -> str:
    """Looks around, step by step."""
    for step in range(3):
        await turn.progress(f"step {step + 1} of 3", icon="search")
        await asyncio.sleep(0.1)
    return "There is nothing."


@tool
async def count_messages(turn: Turn) -> int:
    """Counts the items of all conversations."""
    store, context = turn.store, turn.request_context
    threads = await store.load_threads(20, None, "desc", context)
    pages = [
        await store.load_thread_items(thread.id, None, 50, "asc", context)
        for thread in threads.data
    ]
    return sum(len(page.data) for page in pages)
