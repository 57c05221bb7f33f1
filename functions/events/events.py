"""Handles the events that AWS delivers: deleted rows and finished uploads.

AWS may deliver an event twice, and again after a crash, so everything here can be repeated.
"""

import logging
from typing import Any
from urllib.parse import unquote_plus

from ..attachments.arrival import SNIFFED_BYTES, real_type
from ..attachments.schema import UPLOADS, VOICE
from ..aws import owner_sessions
from ..aws.bucket import Bucket
from ..store import DynamoDBStore
from ..telemetry import describe

logger = logging.getLogger(__name__)

Event = dict[str, Any]


class UnknownEventError(Exception):
    """An event of an unknown kind. Lambda sends it to the dead-letter queue."""


class Events:
    """Handles records of the table's stream and notifications of S3."""

    def __init__(self, store: DynamoDBStore, bucket: Bucket) -> None:
        self._store = store
        self._bucket = bucket

    async def handle(self, event: Event) -> Event | None:
        """Handle an event. Raises when AWS has to deliver all of it again."""
        sources = {record.get("eventSource") for record in event.get("Records", [])}
        if sources == {"aws:dynamodb"}:
            # ReportBatchItemFailures: Lambda delivers the first failed record and all after it
            # again, in smaller batches, and gives up on records that never succeed.
            # https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
            failed = await self._store.purge_deleted(event["Records"])
            return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
        if sources == {"aws:s3"}:
            await self._check_uploads(event["Records"])
            return None
        # S3 sends this once, when the notification is set up.
        if event.get("Event") == "s3:TestEvent":
            return None
        raise UnknownEventError(f"an event of {sorted(map(str, sources)) or 'no source'}")

    async def _check_uploads(self, records: list[Event]) -> None:
        """Check every object, then raise the first error. S3 knows no partial failure."""
        first_error: Exception | None = None
        for record in records:
            try:
                # S3 encodes the keys in events like the values of a form.
                await self._check_upload(unquote_plus(record["s3"]["object"]["key"]))
            except Exception as error:  # noqa: BLE001 - raised after the loop
                logger.error("an uploaded object was not checked: %s", describe(error))  # noqa: TRY400
                first_error = first_error or error
        if first_error is not None:
            raise first_error

    async def _check_upload(self, key: str) -> None:
        """Remove an upload that no message can carry: it is neither an image nor a PDF, and claims
        to be one.

        S3 has accepted only the signed type and length, so only the first bytes are checked here.
        A message with this file checks them again. A voice note is checked when it is transcribed.
        """
        if not key.startswith(UPLOADS) or key.startswith(VOICE):
            return
        with owner_sessions.acting_for_folder(key.removeprefix(UPLOADS).partition("/")[0]):
            head = await self._bucket.head(key)
            if head is None:
                return
            first = await self._bucket.get(key, first=SNIFFED_BYTES)
            if first is not None and real_type(head.content_type, first) is None:
                logger.warning("an upload that is not %s was removed", head.content_type)
                await self._bucket.delete(key)
