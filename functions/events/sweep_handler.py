"""The Lambda handler of the sweep function, which EventBridge invokes every hour.

Once a week it begins a sweep (`functions.store.sweep`). What does not fit into one invocation is
done by the next. Most invocations find that there is nothing to do.
"""

import asyncio
import logging
import time
from typing import Any, Final

from .. import telemetry
from ..aws.bucket import Bucket
from ..metrics import as_metrics
from ..settings import get_settings
from ..store.purge import Purge
from ..store.sweep import BusyError, Sweep, Swept
from ..store.table import Table

EVERY: Final = 7 * 24 * 3600
"""Seconds from the beginning of a sweep to that of the next one."""
OVERDUE: Final = 14 * 24 * 3600
"""Seconds that a sweep may take."""
RESERVE: Final = 60
"""Seconds that are left for the last purge, and to write how far the sweep is."""

telemetry.configure()
logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)  # at every level of the rest of the log: its line carries metrics
_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)


class SweepError(Exception):
    """Why somebody has to look: the alarm on the function's errors goes off."""


def handler(event: object, context: Any) -> None:  # noqa: ARG001 - Lambda calls it so
    """Raises `SweepError` when a sweep takes two weeks, or has left something that it should
    remove.
    """
    _loop.run_until_complete(_sweep(context.get_remaining_time_in_millis() / 1000 - RESERVE))


def make(**options: Any) -> Sweep:
    """A sweep of this stage. With `isolation=session` what is removed is reached as its owner."""
    settings = get_settings()
    table, bucket = settings.table, settings.attachments_bucket
    purge = Purge(Table(table), Bucket(bucket))
    return Sweep(Table(table, nobodys=True), Bucket(bucket, nobodys=True), purge, **options)


async def _sweep(seconds: float) -> None:
    began = time.time()
    try:
        swept = await make().run(seconds, again_after=EVERY)
    except BusyError:
        return
    if swept.finished is None or swept.finished >= began:
        _tell(swept)
        _check(swept, began)


def _tell(swept: Swept) -> None:
    numbers = {
        "swept_threads": swept.threads,
        "sweep_failed": swept.failed,
        "sweep_rows_read": swept.read,
        "sweep_objects_listed": swept.listed,
        "sweep_finished": int(swept.finished is not None),
    }
    metrics = as_metrics({"swept_rows": swept.rows, "swept_objects": swept.objects})
    logger.info("sweep", extra={**numbers, **metrics})


def _check(swept: Swept, now: float) -> None:
    if swept.finished is None and now > swept.began + OVERDUE:
        raise SweepError("a sweep has taken two weeks and has not finished")
    if swept.finished is not None and swept.failed:
        raise SweepError(f"{swept.failed} deleted threads could not be removed")
