"""Gives each batch of the table's stream to everybody who takes it.

A shard of a stream has two readers at most
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html): the events function
is one, and this is the other. So whoever else wants to know of changes is a taker here.
"""

import logging
from typing import Any, Protocol

from ..telemetry import describe

logger = logging.getLogger(__name__)

Record = dict[str, Any]
"""A record of the table's stream, as a Lambda event has it: with both images of the row."""


class Taker(Protocol):
    """Whoever does something with what has changed."""

    async def take(self, records: list[Record]) -> list[str]:
        """Take records; returns the sequence numbers of those that failed.

        A record may come again, also after it was taken: when another one of its batch failed, or
        another taker failed with it. To take it again changes nothing.
        """
        ...


class Changes:
    """Hands batches of records to the takers, one after the other."""

    def __init__(self, takers: list[Taker]) -> None:
        self._takers = takers

    async def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Take a batch; returns which records failed with any taker.

        Lambda delivers the first failed record and all after it again, in smaller batches, and puts
        a record that never succeeds into the dead-letter queue:
        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        A taker that raises has failed with the whole batch, and the others take it all the same.
        """
        records = event["Records"]
        numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
        failed: set[str] = set()
        for taker in self._takers:
            try:
                failed.update(await taker.take(records))
            except Exception as error:  # noqa: BLE001 - the others take the batch all the same
                logger.error(  # noqa: TRY400 - exceptions quote what they read
                    "%d changes failed: %s", len(records), describe(error)
                )
                failed.update(numbers)
        return {"batchItemFailures": [{"itemIdentifier": n} for n in numbers if n in failed]}
