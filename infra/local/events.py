"""Delivers the table's and the bucket's events to the functions on this machine.

The events are those that AWS delivers, and the same code handles them: records of moto's
stream, which two functions read, and moto's notifications of objects, read from a queue. Those of
documents have a queue of
their own, so that an upload does not wait until a long document is read.
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
from functions.knowledge.documents import ORIGINALS
from functions.store.schema import CHANGE_FILTERS, STREAM_FILTERS

PAUSE = 1.0
"""Seconds between two polls."""

MAX_ATTEMPTS = 3
"""Attempts for one event. In AWS it then goes to the dead-letter queue."""

DOCUMENT_ATTEMPTS = 20
"""Attempts for one document: some 17 minutes, after which nobody holds it any more."""

AGAIN = (5, 10, 20, 40, 60)
"""Seconds until the next attempt, which is sooner than in AWS: a person waits."""

HIDDEN = 30
"""Seconds until an event comes again whose attempt ended with this process, at a reload. Nobody
else reads the queue, so an attempt may take longer."""

BATCH = 10
"""Records in one event, as in `infra.stack.events`."""

logger = logging.getLogger(__name__)

Event = dict[str, Any]
Take = Callable[[Event], Awaitable[Event | None]]
"""Handles an event, as the events function does when Lambda invokes it."""


@contextlib.asynccontextmanager
async def events_delivered(
    take: Take,
    read: Take | None = None,
    changed: Take | None = None,
    *,
    table: str,
    bucket: str,
) -> AsyncIterator[None]:
    """Deliver the events of `table` and `bucket` to `take` while this is open, those of documents
    to `read`, as the ingest function gets them, and those of `table` to `changed`, as the changes
    function does.
    """
    rows = _Pump(take, table, bucket, documents=read is not None, changed=changed)
    pumps = [asyncio.create_task(rows.run())]
    if read:
        pumps.append(asyncio.create_task(_Documents(read, bucket).run()))
    try:
        yield
    finally:
        for pump in pumps:
            pump.cancel()
        for pump in pumps:
            with contextlib.suppress(asyncio.CancelledError):
                await pump


def document_queue(bucket: str) -> str:
    """The name of the queue with the events of the documents in `bucket`."""
    return f"{bucket}-documents"


class _Pump:
    def __init__(
        self, take: Take, table: str, bucket: str, *, documents: bool, changed: Take | None = None
    ) -> None:
        self._take = take
        self._readers = [(take, STREAM_FILTERS)]
        if changed:
            self._readers.append((changed, CHANGE_FILTERS))
        self._documents = documents
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
        self._queue = await _queue(f"{self._bucket}-events")
        wanted = [await _notify(self._queue, UPLOADS, "s3:ObjectCreated:*")]
        if self._documents:
            queue = await _queue(document_queue(self._bucket))
            kinds = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            wanted.append(await _notify(queue, ORIGINALS, *kinds))
        await call(
            client("s3").put_bucket_notification_configuration,
            Bucket=self._bucket,
            NotificationConfiguration={"QueueConfigurations": wanted},
        )

    async def _read_stream(self) -> None:
        streams = client("dynamodbstreams")
        for number, iterator in enumerate(self._iterators):
            answer = await call(streams.get_records, ShardIterator=iterator)
            self._iterators[number] = answer["NextShardIterator"]
            for take, filters in self._readers:
                records = [record for record in answer["Records"] if passes(record, filters)]
                for first in range(0, len(records), BATCH):
                    await self._deliver(take, records[first : first + BATCH])

    async def _deliver(self, take: Take, records: list[Event]) -> None:
        for _ in range(MAX_ATTEMPTS):
            try:
                answer = await take({"Records": records}) or {}
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


class _Documents:
    """Reads the queue of the documents' events, as Lambda does for the ingest function."""

    def __init__(self, read: Take, bucket: str) -> None:
        self._read = read
        self._bucket = bucket

    async def run(self) -> None:
        try:
            queue = await _queue(document_queue(self._bucket))
            while True:
                if not await self._deliver(queue):
                    await asyncio.sleep(PAUSE)
        except (ClientError, BotoCoreError, KeyError) as error:
            logger.warning("documents are not read on this machine: %s", type(error).__name__)

    async def _deliver(self, queue: str) -> bool:
        """Deliver what waits, one event at a time; whether there was anything."""
        sqs = client("sqs")
        answer = await call(
            sqs.receive_message,
            QueueUrl=queue,
            VisibilityTimeout=HIDDEN,
            AttributeNames=["ApproximateReceiveCount"],
        )
        for message in answer.get("Messages", []):
            attempts = int(message["Attributes"]["ApproximateReceiveCount"])
            this = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
            if await self._taken(queue, message) or attempts >= DOCUMENT_ATTEMPTS:
                await call(sqs.delete_message, **this)
                continue
            wait = AGAIN[min(attempts, len(AGAIN)) - 1]
            with contextlib.suppress(sqs.exceptions.MessageNotInflight):  # it is visible already
                await call(sqs.change_message_visibility, **this, VisibilityTimeout=wait)
        return bool(answer.get("Messages"))

    async def _taken(self, queue: str, message: Event) -> bool:
        """Whether the event is done with."""
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}",
            "awsRegion": "us-east-1",
        }
        try:
            answer = await self._read({"Records": [record]}) or {}
        except Exception:
            logger.exception("a document was not read")
            return False
        return not answer.get("batchItemFailures")


async def _queue(name: str) -> str:
    """The URL of a queue, which is made when it is not there."""
    url: str = (await call(client("sqs").create_queue, QueueName=name))["QueueUrl"]
    return url


async def _notify(queue: str, prefix: str, *kinds: str) -> dict[str, Any]:
    """The part of a bucket's configuration that sends events below `prefix` to `queue`."""
    attributes = await call(
        client("sqs").get_queue_attributes, QueueUrl=queue, AttributeNames=["QueueArn"]
    )
    return {
        "QueueArn": attributes["Attributes"]["QueueArn"],
        "Events": [*kinds],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
    }


def passes(record: Event, filters: list[dict[str, Any]]) -> bool:
    """Whether one of the filters lets the record through, as Lambda filters a stream."""
    return any(_matches(record, pattern) for pattern in filters)


def _matches(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        inside = value if isinstance(value, dict) else {}
        return all(_matches(inside.get(name), each) for name, each in pattern.items())
    return any(_is(value, each) for each in pattern)


def _is(value: Any, wanted: str | dict[str, Any]) -> bool:
    """Whether a value is one of a pattern's. We use texts, `prefix` and `exists`."""
    if isinstance(wanted, str):
        return bool(value == wanted)
    if "exists" in wanted:
        return (value is not None) is wanted["exists"]
    return isinstance(value, str) and value.startswith(wanted["prefix"])
