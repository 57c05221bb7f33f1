"""What the messages of a batch ask for: which documents to ingest.

A message's body is a notification of S3 for objects under `knowledge/`, or our own
`{"key": "knowledge/…"}`, with `"force": true` for an object that has not changed. While an index is
built beside the one that is searched, each ingest writes into both, so nothing says which.

The answer names the messages that SQS has to deliver again (`ReportBatchItemFailures`):
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

from ..telemetry import describe
from .ingest import AgainError, Ingest

logger = logging.getLogger(__name__)

Event = dict[str, Any]

AT_ONCE: Final = 4
"""Documents of one batch that are ingested at one time. They mostly wait for others."""


class UnknownEventError(Exception):
    """A message of an unknown kind. SQS moves it to the dead-letter queue in the end."""


@dataclass
class _Wanted:
    """What the messages of a batch ask for one object: that it is ingested once."""

    messages: list[str] = field(default_factory=list)
    force: bool = False


class Events:
    """Handles batches of the queue of documents."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def handle(self, event: Event, left: Callable[[], float]) -> Event:
        """Ingest what a batch names. `left` says how many seconds are left.

        Returns which messages have to come again. Raises `UnknownEventError` for anything but a
        batch of SQS.
        """
        records = event.get("Records", [])
        if not records or {record.get("eventSource") for record in records} != {"aws:sqs"}:
            raise UnknownEventError("an event that is no batch of SQS")
        failed: dict[str, None] = {}
        wanted: dict[str, _Wanted] = {}
        for record in records:
            message = record["messageId"]
            try:
                for key, force in _asked(record["body"]):
                    one = wanted.setdefault(key, _Wanted())
                    one.messages.append(message)
                    one.force |= force
            except (ValueError, KeyError, TypeError, AttributeError, UnknownEventError) as error:
                logger.error("a message is not understood: %s", describe(error))  # noqa: TRY400
                failed.setdefault(message)
        lanes = asyncio.Semaphore(AT_ONCE)

        async def ingest(key: str, one: _Wanted) -> None:
            async with lanes:
                if not await self._one(key, one, left):
                    failed.update(dict.fromkeys(one.messages))

        await asyncio.gather(*(ingest(key, one) for key, one in wanted.items()))
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

    async def _one(self, key: str, one: _Wanted, left: Callable[[], float]) -> bool:
        try:
            await self._ingest.document(key, event=one.messages[0], left=left, force=one.force)
        except AgainError as error:
            logger.warning("a document has to come again: %s", str(error))
        except Exception as error:  # noqa: BLE001 - SQS delivers the message again
            logger.error("a document was not ingested: %s", describe(error))  # noqa: TRY400
        else:
            return True
        return False


def _asked(body: str) -> list[tuple[str, bool]]:
    """The keys that a message names, and whether they are ingested in any case."""
    said = json.loads(body)
    if said.get("Event") == "s3:TestEvent":  # S3 sends this once, when it is set up
        return []
    if "key" in said:
        return [(str(said["key"]), said.get("force") is True)]
    if not said.get("Records"):
        raise UnknownEventError("neither of S3 nor our own")
    # S3 encodes the keys in events like the values of a form.
    return [(unquote_plus(record["s3"]["object"]["key"]), False) for record in said["Records"]]
