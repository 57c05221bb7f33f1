"""The Lambda handler of the ingest function: a batch of an SQS queue.

It makes only what an ingest needs. One event loop serves all invocations.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from .. import telemetry
from ..aws.bucket import Bucket
from ..knowledge.words import check_fts5
from ..settings import get_settings
from ..store.table import Table
from .events import Event, Events
from .ingest import Ingest

telemetry.configure()
check_fts5()
_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)

_settings = get_settings()
_events = Events(
    Ingest(
        _settings,
        Table(_settings.table, nobodys=True),
        Bucket(_settings.attachments_bucket, nobodys=True),
    )
)


def handler(event: Event, context: Any) -> Event:
    """The messages that SQS has to deliver again: `{"batchItemFailures": […]}`."""
    return _loop.run_until_complete(_events.handle(event, _left(context)))


def _left(context: Any) -> Callable[[], float]:
    """Says how many seconds the invocation has left."""
    return lambda: context.get_remaining_time_in_millis() / 1000
