"""Threads and items to store."""

from datetime import datetime, timedelta

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    InferenceOptions,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)

from functions.aws.keys import owner, part
from functions.run_record import RunRecord
from functions.store import keys

NOON = datetime(2026, 1, 2, 12, 0, 0)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def thread(thread_id: str = "thr_1", **fields) -> ThreadMetadata:
    return ThreadMetadata(id=thread_id, **{"created_at": NOON, **fields})


def message(item_id: str, text: str = "hello", *, thread_id: str = "thr_1", **fields):
    return UserMessageItem(
        id=item_id,
        thread_id=thread_id,
        **{"created_at": NOON, **fields},
        content=[UserMessageTextContent(text=text)],
        inference_options=InferenceOptions(),
    )


def answer(item_id: str, text: str = "hi", *, thread_id: str = "thr_1", **fields):
    return AssistantMessageItem(
        id=item_id,
        thread_id=thread_id,
        **{"created_at": NOON, **fields},
        content=[AssistantMessageContent(text=text)],
    )


def as_before(backend, context, thread_id, item_id, moment):
    """Give an item the position that it had in version 0.1."""
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=keys.item_key(owner(context), thread_id, item_id),
        UpdateExpression="SET #position = :position",
        ExpressionAttributeNames={"#position": "position"},
        ExpressionAttributeValues={":position": {"S": f"{keys.stamp(moment)}#{part(item_id)}"}},
    )


def run_record(**fields):
    known = {
        "run_id": "run_1",
        "at": "2026-01-01T00:00:00.000000Z",
        "request": "threads.create",
        "owner": "0" * 32,
        "thread_id": "thr_1",
        "provider": "demo",
        "model": "demo",
        "outcome": "completed",
        "duration_ms": 5,
    }
    return RunRecord(**(known | fields))
