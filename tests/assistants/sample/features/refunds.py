"""A tool for people with a role."""

from functions.toolkit import Turn, tool


@tool(roles={"staff", "admin"})
async def refund(turn: Turn, order: str) -> str:
    """Pays an order back.

    Args:
        order: Its number.
    """
    return f"{turn.request_context.name} paid {order} back."
