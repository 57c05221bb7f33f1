"""Publishes domain events on a bus of Amazon EventBridge."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import aws
from ..aws.clients import client
from ..store import keys
from ..telemetry import describe
from .changes import Record
from .domain_events import SOURCE, AnswerCompleted, DomainEvent, MessageReceived
from .happened import Happened
from .texts import Texts

logger = logging.getLogger(__name__)

MAX_ENTRIES = 10
"""Entries that `PutEvents` takes:
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""

MAX_BYTES = 250_000
"""Bytes of a request's entries. AWS takes 256 KB, by a count of its own that this stays below:
https://docs.aws.amazon.com/eventbridge/latest/userguide/calculate-putevents-entry-size.html"""


@dataclass(frozen=True)
class Entry:
    """An event that is to be published, and the record that it comes from."""

    number: str
    event: DomainEvent

    def of(self, bus: str) -> dict[str, Any]:
        return {
            "EventBusName": bus,
            "Source": SOURCE,
            "DetailType": self.event.type,
            "Time": self.event.at,
            "Detail": self.event.model_dump_json(),
        }

    @property
    def size(self) -> int:
        """Bytes, and some more for the time and the names."""
        return len(self.event.model_dump_json().encode()) + 100


class DomainEvents:
    """Takes records, and publishes what they tell. A record that comes again is published again,
    with the same id: EventBridge itself delivers at least once, so readers tell repeats anyway.

    One request for each 10 events, and before it two reads for each text. A request takes 21 s at
    most, and a read 15 s (`functions.aws.clients`).
    """

    def __init__(self, bus: str, stage: str, texts: Texts | None = None) -> None:
        """With `texts`, messages and answers carry what they say."""
        self._bus = bus
        self._stage = stage
        self._texts = texts

    async def take(self, records: list[Record]) -> list[str]:
        """Publish; returns the records of which an event could not be made or published."""
        failed: set[str] = set()
        entries: list[Entry] = []
        for record in records:
            number = str(record["dynamodb"]["SequenceNumber"])
            try:
                happened = Happened(record, self._stage)
                entries += [
                    Entry(number, await self._with_text(event, happened))
                    for event in happened.events()
                ]
            except Exception as error:  # noqa: BLE001 - the record alone fails
                logger.error(  # noqa: TRY400 - exceptions quote what they read
                    "no event could be made of a change: %s",
                    describe(error),
                    extra={"sequence": number},
                )
                failed.add(number)
        for batch in _batches(entries):
            failed |= await self._put(batch)
        return sorted(failed)

    async def _with_text(self, event: DomainEvent, happened: Happened) -> DomainEvent:
        if self._texts is None or not isinstance(event, MessageReceived | AnswerCompleted):
            return event
        text = await self._texts.of(event, keys.user_of(happened.partition))
        return event.model_copy(update={"text": text})

    async def _put(self, batch: list[Entry]) -> set[str]:
        """Publish a batch; returns the records of those entries that AWS did not take."""
        try:
            answer = await aws.call(
                client("events").put_events, Entries=[entry.of(self._bus) for entry in batch]
            )
        except Exception as error:  # noqa: BLE001 - the other batches are published all the same
            logger.error("events were not published: %s", describe(error))  # noqa: TRY400
            return {entry.number for entry in batch}
        refused = [
            (entry, said["ErrorCode"])
            for entry, said in zip(batch, answer["Entries"], strict=True)
            if "ErrorCode" in said
        ]
        if refused:
            codes = ", ".join(sorted({code for _, code in refused}))
            logger.error("%d events were not published: %s", len(refused), codes)
        return {entry.number for entry, _ in refused}


def _batches(entries: list[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == MAX_ENTRIES or size + entry.size > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch
