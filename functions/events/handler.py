"""The Lambda handler of the events function.

It makes only what events need: the store and the bucket. So its cold start imports neither the web
framework nor the assistant. One event loop serves all invocations.
"""

import asyncio
from typing import Any

from .. import telemetry
from ..aws.bucket import Bucket
from ..settings import get_settings
from ..store import DynamoDBStore
from .events import Event, Events

telemetry.configure()
_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)

_bucket = Bucket(get_settings().attachments_bucket)
_events = Events(DynamoDBStore(get_settings().table, bucket=_bucket), _bucket)


def handler(event: Event, context: Any) -> Event | None:  # noqa: ARG001 - Lambda calls it so
    """The failed records of a batch of the table's stream; None for notifications of S3.

    Raises when AWS has to deliver the whole event again. After its last attempt the event is kept
    in the dead-letter queue.
    """
    return _loop.run_until_complete(_events.handle(event))
