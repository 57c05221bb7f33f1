"""Pages by position: what is asked for, and the query that answers it."""

from typing import Any, Final

from functions.store.schema import INDEX

LARGEST_QUERY: Final = 1000
"""Rows asked for at once; a larger page takes more queries."""


def bounds(partition: str, order: str, start: str | None, limit: int) -> dict[str, Any]:
    """A query by position in one partition, in `order`, behind `start`.

    It asks for one row more than the page holds, which tells whether there is more.
    """
    query: dict[str, Any] = {
        "IndexName": INDEX,
        "Limit": min(limit + 1, LARGEST_QUERY),
        "ScanIndexForward": order == "asc",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
    }
    if start is not None:
        comparison = ">" if order == "asc" else "<"
        query["KeyConditionExpression"] += f" AND #position {comparison} :start"
        query["ExpressionAttributeValues"][":start"] = {"S": start}
        query["ExpressionAttributeNames"] = {"#position": "position"}  # a reserved word
    return query


def check_page(limit: int, order: str, after: str | None = None) -> None:
    """`ValueError` for a page that cannot be."""
    if after is not None and not isinstance(after, str):
        raise ValueError(f"a cursor is text, not {type(after).__name__}")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit!r}")
    if order not in ("asc", "desc"):
        raise ValueError(f"order must be 'asc' or 'desc', not {order!r}")
