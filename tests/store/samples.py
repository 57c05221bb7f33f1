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
