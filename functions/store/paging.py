"""Pages by position: checks of their parameters, and the query for one."""

from typing import Any, Final

from .schema import INDEX

MAX_QUERY: Final = 1000
"""Rows that one query asks for; a larger page takes more queries."""

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""Bytes of the items in one page, as JSON. One item always fits."""


def bounds(
    partition: str, order: str, start: str | None, limit: int, end: str | None = None
) -> dict[str, Any]:
    """The query for a partition's rows in `order`, after position `start` and before `end`.

    It asks for one row more than the page holds, to know whether more follow.
    """
    query: dict[str, Any] = {
        "IndexName": INDEX,
        "Limit": min(limit + 1, MAX_QUERY),
        "ScanIndexForward": order == "asc",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
    }
    low, high = (start, end) if order == "asc" else (None, start or end)
    if low is not None:
        # BETWEEN includes its ends, so it begins at the smallest text after `start`.
        query["ExpressionAttributeValues"][":low"] = {"S": f"{low}\0"}
    if high is not None:
        query["ExpressionAttributeValues"][":high"] = {"S": high}
    if low or high:
        between = "BETWEEN :low AND :high" if low and high else ">= :low" if low else "< :high"
        query["KeyConditionExpression"] += f" AND #position {between}"
        query["ExpressionAttributeNames"] = {"#position": "position"}  # a reserved word
    return query


def check_page(limit: int, order: str, after: str | None = None) -> None:
    """Raise `ValueError` when a parameter of a page is invalid."""
    if after is not None and not isinstance(after, str):
        raise ValueError(f"a cursor is text, not {type(after).__name__}")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit!r}")
    if order not in ("asc", "desc"):
        raise ValueError(f"order must be 'asc' or 'desc', not {order!r}")
