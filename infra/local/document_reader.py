"""Ingests documents in the process of `make dev`, in a thread with an event loop of its own.

So no answer waits for a document, and clients of the one loop are not used in the other.
"""

import asyncio
import threading
import time
from typing import Any, Final

from functions.aws.bucket import Bucket
from functions.ingest.events import Event, Events
from functions.ingest.ingest import Ingest
from functions.settings import Settings
from functions.store.table import Table

SECONDS: Final = 240
"""For one event, which then comes again. It is shorter than Lambda's 15 minutes, because a document
that a reload has interrupted is left alone until they are over."""


class DocumentReader:
    """Takes events as the ingest function does. The thread ends with the process."""

    def __init__(self, settings: Settings) -> None:
        table = Table(settings.table, nobodys=True)
        bucket = Bucket(settings.attachments_bucket, nobodys=True)
        self._events = Events(Ingest(settings, table, bucket))
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="documents", daemon=True).start()

    async def __call__(self, event: Event) -> dict[str, Any]:
        """Handle a batch of SQS. Cancelling this cancels it."""
        end = time.monotonic() + SECONDS
        handled = self._events.handle(event, lambda: end - time.monotonic())
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(handled, self._loop))
