"""What reaches the second function without HTTP: deleted rows and finished uploads.

Whatever is done here may be done twice, and again after a crash half-way.
"""

import logging
from typing import Any
from urllib.parse import unquote_plus

from ..attachments.arrival import SNIFFED_BYTES, claims_wrongly
from ..attachments.schema import UPLOADS, VOICE
from ..aws.bucket import Bucket
from ..store import purge_deleted_threads
from ..telemetry import describe

logger = logging.getLogger(__name__)

Event = dict[str, Any]


class UnknownEventError(Exception):
    """An event that nobody here has work for. It ends as a dead letter."""


class Events:
    """Takes the table's stream and S3's notifications."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def take(self, event: Event) -> Event | None:
        """Do what `event` asks for. Raises when all of it has to come again."""
        sources = {record.get("eventSource") for record in event.get("Records", [])}
        if sources == {"aws:dynamodb"}:
            # The form of ReportBatchItemFailures: Lambda sends the first of these and
            # all after it again, halves the batch, and puts aside what never succeeds.
            # https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
            failed = await purge_deleted_threads(event["Records"])
            return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
        if sources == {"aws:s3"}:
            await self._objects(event["Records"])
            return None
        # S3 says once, when the notification is set up, that it works.
        if event.get("Event") == "s3:TestEvent":
            return None
        raise UnknownEventError(f"an event of {sorted(map(str, sources)) or 'no source'}")

    async def _objects(self, records: list[Event]) -> None:
        """S3 has no partial failures: every object is looked at, then the first fault raised."""
        fault: Exception | None = None
        for record in records:
            try:
                # S3 encodes keys in events as in a form.
                await self._arrived(unquote_plus(record["s3"]["object"]["key"]))
            except Exception as error:  # noqa: BLE001 - raised when all were looked at
                logger.error("an uploaded object was not checked: %s", describe(error))  # noqa: TRY400
                fault = fault or error
        if fault is not None:
            raise fault

    async def _arrived(self, key: str) -> None:
        """Remove an upload at once that is not what it says it is.

        Type and length were signed, so S3 has held the upload to its record; what
        is left to look at are its first bytes. The message that carries it looks
        again, at the record too. A voice note is looked at when it is heard.
        """
        if not key.startswith(UPLOADS) or key.startswith(VOICE):
            return
        head = await self._bucket.head(key)
        if head is None:
            return
        first = await self._bucket.get(key, first=SNIFFED_BYTES)
        if first is not None and claims_wrongly(head.content_type, first):
            logger.warning("an upload is not the %s that it says: removed", head.content_type)
            await self._bucket.delete(key)
