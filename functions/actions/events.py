"""The events that reach the second function: deleted rows and finished uploads.

AWS may deliver an event twice, and again after a crash half-way, so everything here can be done
again.
"""

import logging
from typing import Any
from urllib.parse import unquote_plus

from ..attachments.arrival import SNIFFED_BYTES, claims_wrongly
from ..attachments.schema import UPLOADS, VOICE
from ..aws.bucket import Bucket
from ..store import DynamoDBStore
from ..telemetry import describe

logger = logging.getLogger(__name__)

Event = dict[str, Any]


class UnknownEventError(Exception):
    """An event of an unknown kind. It becomes a dead letter."""


class Events:
    """Handles records of the table's stream and S3's notifications."""

    def __init__(self, store: DynamoDBStore, bucket: Bucket) -> None:
        self._store = store
        self._bucket = bucket

    async def take(self, event: Event) -> Event | None:
        """Do what `event` asks for. Raises when AWS has to deliver all of it again."""
        sources = {record.get("eventSource") for record in event.get("Records", [])}
        if sources == {"aws:dynamodb"}:
            # ReportBatchItemFailures: Lambda delivers the first of these and all after it
            # again, halves the batch, and puts aside records that never succeed.
            # https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
            failed = await self._store.purge_deleted(event["Records"])
            return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
        if sources == {"aws:s3"}:
            await self._objects(event["Records"])
            return None
        # S3 sends this once, when the notification is set up.
        if event.get("Event") == "s3:TestEvent":
            return None
        raise UnknownEventError(f"an event of {sorted(map(str, sources)) or 'no source'}")

    async def _objects(self, records: list[Event]) -> None:
        """S3 has no partial failures: check every object, then raise the first fault."""
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
        """Remove an upload that is not of the type that it claims.

        S3 has held the upload to the type and length that were signed, so only its first bytes
        are left to check. The message that carries the file checks it again. A voice note is
        checked when it is transcribed.
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
