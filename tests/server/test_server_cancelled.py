"""A plain server whose clients leave, under uvicorn: what it keeps of their answers."""

import asyncio
from datetime import UTC, datetime
from queue import Queue

import httpx2
import pytest
from chatkit.server import ChatKitServer
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomTask,
    ThreadItemAddedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    Workflow,
    WorkflowItem,
)
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from functions.server import ServerMixin, keep_cancelled
from functions.store import MemoryStore
from tests.support.served import served

CLIENTS = 8
ADA = {"user_id": "ada"}
MESSAGE = {
    "content": [{"type": "input_text", "text": "Tell me a story"}],
    "attachments": [],
    "inference_options": {},
}


class Storyteller(ChatKitServer):
    """Says a few words, and then waits for its model."""

    async def respond(self, thread, input_user_message, context):
        message = AssistantMessageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(UTC),
            content=[],
        )
        yield ThreadItemAddedEvent(item=message)
        words = AssistantMessageContentPartTextDelta(content_index=0, delta="Once upon a time")
        yield ThreadItemUpdatedEvent(item_id=message.id, update=words)
        await asyncio.Event().wait()


class Watched(ServerMixin, Storyteller):
    def __init__(self, store):
        super().__init__(store)
        self.ended = Queue()

    async def handle_stream_cancelled(self, *args):
        try:
            await super().handle_stream_cancelled(*args)
        finally:
            self.ended.put(None)


def app_of(server):
    app = FastAPI()

    @app.post("/chatkit")
    async def chatkit(request: Request):
        result = await server.process(await request.body(), ADA)
        return StreamingResponse(result, media_type="text/event-stream")

    return app


async def leave_in_mid_answer(http):
    request = {"type": "threads.create", "params": {"input": MESSAGE}}
    async with http.stream("POST", "/chatkit", json=request) as answer:
        async for line in answer.aiter_lines():
            if "Once upon a time" in line:
                return


async def test_every_answer_whose_client_leaves_is_kept_with_the_note_for_the_model(store):
    server = Watched(store)
    with served(app_of(server)) as url:
        async with httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            await asyncio.gather(*(leave_in_mid_answer(http) for _ in range(CLIENTS)))
        for _ in range(CLIENTS):
            await asyncio.to_thread(server.ended.get, timeout=30)
    kept = []
    for thread in (await store.load_threads(99, None, "asc", ADA)).data:
        items = (await store.load_thread_items(thread.id, None, 9, "asc", ADA)).data
        kept.append([item.type for item in items])
        assert items[1].content[0].text == "Once upon a time"
        assert "cancelled" in items[2].content
    assert kept == [["user_message", "assistant_message", "sdk_hidden_context"]] * CLIENTS


@pytest.fixture
async def thread():
    return ThreadMetadata(id="thr_1", created_at=datetime.now(UTC))


async def test_a_blank_message_is_not_kept_and_an_open_workflow_is_ended(thread):
    store, base = MemoryStore(), {"thread_id": "thr_1", "created_at": datetime.now(UTC)}
    await store.save_thread(thread, ADA)
    tasks = [CustomTask(status_indicator=status) for status in ("complete", "loading")]
    workflow = Workflow(type="reasoning", tasks=tasks, expanded=True)
    pending = [
        AssistantMessageItem(id="blank", content=[AssistantMessageContent(text=" ")], **base),
        WorkflowItem(id="thinking", workflow=workflow, **base),
    ]
    await keep_cancelled(store, thread, pending, ADA, note="Cut off.")
    ended, note = (await store.load_thread_items("thr_1", None, 9, "asc", ADA)).data
    assert (ended.id, ended.workflow.expanded, ended.workflow.summary.duration) == (
        "thinking", False, 0,
    )  # fmt: skip
    assert [task.status_indicator for task in ended.workflow.tasks] == ["complete", "none"]
    assert note.content == "Cut off."
