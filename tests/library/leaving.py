"""The server of docs/library.md under uvicorn, with clients that leave, and with bad requests.

Prints what it has kept and answered, as JSON. `plain.py` is the page's.
"""

import asyncio
import json
from datetime import UTC, datetime

import httpx2
import plain
import uvicorn
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemUpdatedEvent,
)

CLIENTS = 8
GRACE = {"sub": "grace"}
ended = asyncio.Semaphore(0)


class Server(plain.Server):
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

    async def handle_stream_cancelled(self, *args):
        try:
            await super().handle_stream_cancelled(*args)
        finally:
            ended.release()


def created(*attachments):
    content = [{"type": "input_text", "text": "Hi"}]
    given = {"content": content, "attachments": attachments, "inference_options": {}}
    return {"type": "threads.create", "params": {"input": given}}


async def leave(http):
    async with http.stream("POST", "/chatkit", json=created()) as answer:
        async for line in answer.aiter_lines():
            if "Once upon a time" in line:
                return


async def refused(http, request):
    answer = await http.post("/chatkit", json=request)
    assert answer.json()["message"]
    return answer.status_code


async def use(http):
    await asyncio.gather(*(leave(http) for _ in range(CLIENTS)))
    for _ in range(CLIENTS):
        await ended.acquire()
    threads = (await plain.store.load_threads(99, None, "asc", GRACE)).data
    pages = [await plain.store.load_thread_items(t.id, None, 9, "asc", GRACE) for t in threads]
    answer = pages[0].data[1]
    thumb = {"thread_id": answer.thread_id, "item_ids": [answer.id], "kind": "positive"}
    await http.post("/chatkit", json={"type": "items.feedback", "params": thumb})
    large = {"name": "a.txt", "size": 10**9, "mime_type": "text/plain"}
    unknown = {"thread_id": answer.thread_id, "item_ids": ["never"], "kind": "negative"}
    return {
        "kept": [[item.type for item in page.data] for page in pages],
        "said": answer.content[0].text,
        "thumbs": [each.kind for each in await plain.store.load_feedback(answer.thread_id, GRACE)],
        "too large": await refused(http, {"type": "attachments.create", "params": large}),
        "an unknown file": await refused(http, created("never")),
        "an unknown item": await refused(http, {"type": "items.feedback", "params": unknown}),
    }


async def main():
    plain.server = Server(plain.store, plain.files)
    server = uvicorn.Server(uvicorn.Config(plain.app, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        print(json.dumps(await use(http)))
    server.should_exit = True
    await serving


asyncio.run(main())
