"""The expiry of rows: TTL removes a row within days, so reads and writes check it as well."""

import time
from typing import Final

from .keys import Value
from .table import Row

DAY: Final = 24 * 3600

ALIVE: Final = "(attribute_not_exists(expires) OR expires > :now)"
EXISTS: Final = f"attribute_exists(pk) AND {ALIVE}"
"""The condition of every write that needs a thread which is neither deleted nor expired."""


def now_value() -> Value:
    """The value of `:now` in these conditions."""
    return {"N": str(int(time.time()))}


def expired(row: Row) -> bool:
    return "expires" in row and int(row["expires"]["N"]) <= time.time()
