"""What reaches the second function without HTTP: deleted rows and finished uploads.

Whatever is done here may be done twice, and again after a crash half-way.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_plus

from functions.telemetry import describe

log = logging.getLogger(__name__)

Event = dict[str, Any]


class UnknownEventError(Exception):
    """An event that nobody here has work for. It ends as a dead letter."""


class Events:
    """Takes the table's stream and S3's notifications.

    `removed` does what a stream record asks for, `arrived` looks at a new object
    by its key. Either raises when it has to be tried again.
    """

    def __init__(
        self,
        removed: Callable[[Event], Awaitable[None]],
        arrived: Callable[[str], Awaitable[None]],
    ) -> None:
        self._removed = removed
        self._arrived = arrived

    async def take(self, event: Event) -> Event | None:
        """Do what `event` asks for. Raises when all of it has to come again."""
        sources = {record.get("eventSource") for record in event.get("Records", [])}
        if sources == {"aws:dynamodb"}:
            return await self._stream(event["Records"])
        if sources == {"aws:s3"}:
            return await self._objects(event["Records"])
        # S3 says once, when the notification is set up, that it works.
        if event.get("Event") == "s3:TestEvent":
            return None
        raise UnknownEventError(f"an event of {sorted(map(str, sources)) or 'no source'}")

    async def _stream(self, records: list[Event]) -> Event:
        """The first record that failed, in the form of `ReportBatchItemFailures`.

        Lambda sends that one and all after it again, so going on would only do
        the same work twice.
        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        """
        for record in records:
            number = record["dynamodb"]["SequenceNumber"]
            try:
                await self._removed(record)
            except Exception as error:  # noqa: BLE001 - whatever it is, it comes again
                log.error("stream record %s failed: %s", number, describe(error))  # noqa: TRY400
                return {"batchItemFailures": [{"itemIdentifier": number}]}
        return {"batchItemFailures": []}

    async def _objects(self, records: list[Event]) -> None:
        """S3 has no partial failures: every object is looked at, then the first fault raised."""
        fault: Exception | None = None
        for record in records:
            try:
                # S3 encodes keys in events as in a form.
                await self._arrived(unquote_plus(record["s3"]["object"]["key"]))
            except Exception as error:  # noqa: BLE001 - raised when all were looked at
                log.error("an uploaded object was not checked: %s", describe(error))  # noqa: TRY400
                fault = fault or error
        if fault is not None:
            raise fault
