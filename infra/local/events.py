"""Delivers the table's and the bucket's events to the events function on this machine.

The events are those that AWS delivers, and the same code handles them: records of moto's
stream, and moto's notifications of new objects, read from a queue.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.attachments.schema import UPLOADS
from functions.aws.clients import call, client

PAUSE = 1.0
"""Seconds between two polls."""

MAX_ATTEMPTS = 3
"""Attempts for one event. In AWS it then goes to the dead-letter queue."""

BATCH = 10
"""Records in one event, as in `infra.stack.events`."""

logger = logging.getLogger(__name__)

Event = dict[str, Any]
Take = Callable[[Event], Awaitable[Event | None]]
"""Handles an event, as the events function does when Lambda invokes it."""


@contextlib.asynccontextmanager
async def events_delivered(take: Take, *, table: str, bucket: str) -> AsyncIterator[None]:
    """Deliver the events of `table` and `bucket` to `take` while this is open."""
    pump = asyncio.create_task(_Pump(take, table, bucket).run())
    try:
        yield
    finally:
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump


class _Pump:
    def __init__(self, take: Take, table: str, bucket: str) -> None:
        self._take = take
        self._table = table
        self._bucket = bucket
        self._iterators: list[str] = []
        self._queue = ""

    async def run(self) -> None:
        try:
            await self._subscribe()
            while True:
                await self._read_stream()
                await self._read_queue()
                await asyncio.sleep(PAUSE)
        except (ClientError, BotoCoreError, KeyError) as error:
            # AWS_ENDPOINT_URL may lead to a server without streams or queues.
            logger.warning("events are not delivered on this machine: %s", type(error).__name__)

    async def _subscribe(self) -> None:
        described = await call(client("dynamodb").describe_table, TableName=self._table)
        stream = described["Table"]["LatestStreamArn"]
        streams = client("dynamodbstreams")
        shards = (await call(streams.describe_stream, StreamArn=stream))["StreamDescription"]
        for shard in shards["Shards"]:
            # From the beginning, as in AWS, so that no event is lost during a reload.
            found = await call(
                streams.get_shard_iterator,
                StreamArn=stream,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )
            self._iterators.append(found["ShardIterator"])
        sqs = client("sqs")
        self._queue = (await call(sqs.create_queue, QueueName=f"{self._bucket}-events"))["QueueUrl"]
        attributes = await call(
            sqs.get_queue_attributes, QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )
        prefix = {"Name": "prefix", "Value": UPLOADS}
        await call(
            client("s3").put_bucket_notification_configuration,
            Bucket=self._bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": attributes["Attributes"]["QueueArn"],
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {"Key": {"FilterRules": [prefix]}},
                    }
                ]
            },
        )

    async def _read_stream(self) -> None:
        streams = client("dynamodbstreams")
        for number, iterator in enumerate(self._iterators):
            answer = await call(streams.get_records, ShardIterator=iterator)
            self._iterators[number] = answer["NextShardIterator"]
            records = [record for record in answer["Records"] if _wanted(record)]
            for first in range(0, len(records), BATCH):
                await self._deliver(records[first : first + BATCH])

    async def _deliver(self, records: list[Event]) -> None:
        for _ in range(MAX_ATTEMPTS):
            try:
                answer = await self._take({"Records": records}) or {}
            except Exception:
                logger.exception("%d records of the stream failed", len(records))
                continue
            failed = {entry["itemIdentifier"] for entry in answer.get("batchItemFailures", [])}
            records = [r for r in records if r["dynamodb"]["SequenceNumber"] in failed]
            if not records:
                return
        logger.error("gave up %d stream records: dead letters in AWS", len(records))

    async def _read_queue(self) -> None:
        sqs = client("sqs")
        answer = await call(sqs.receive_message, QueueUrl=self._queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            try:
                await self._take(json.loads(message["Body"]))
            except Exception:
                # It comes again after the queue's visibility timeout, as Lambda tries again.
                logger.exception("an event of the bucket failed")
                continue
            await call(
                sqs.delete_message, QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
            )


def _wanted(record: Event) -> bool:
    """Whether `STREAM_FILTERS` lets the record through, roughly; the function checks again."""
    old = record["dynamodb"].get("OldImage", {})
    return record["eventName"] == "REMOVE" or "spill" in old or "image" in old
