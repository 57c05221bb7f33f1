"""Signing out everywhere: the sessions of a user that began before a moment are over."""

import time
from typing import Any, Final

from ..aws.keys import owner
from . import keys
from .expiry import DAY
from .table import Table

KEPT_SECONDS: Final = 401 * DAY
"""Seconds that a sign-out is kept: longer than any token is valid that was made before it."""


class Sessions:
    """Ends the sessions of a user, and says whether one is over. A context needs `user_id`."""

    def __init__(self, table: Table) -> None:
        self.table = table

    async def end_all(self, context: Any) -> None:
        """End all sessions that have begun until now. One write, safe to repeat.

        A deletion of the user (`delete_user`) keeps this, because their tokens may still be valid.
        """
        now = time.time()
        await self.table.update(
            keys.signed_out_key(owner(context)),
            "SET #at = :at, expires = :expires",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={
                ":at": {"N": f"{now:.3f}"},
                ":expires": {"N": str(int(now) + KEPT_SECONDS)},
            },
        )

    async def is_over(self, context: Any, began: float) -> bool:
        """Whether the session that began then (Unix seconds) was ended. One request, one read unit.

        A session that began at the same moment is over, too.
        """
        row = await self.table.get(keys.signed_out_key(owner(context)))
        return row is not None and began <= float(row["at"]["N"])
