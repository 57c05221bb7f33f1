"""The app of the streaming bench. It sends as many events as the query string says."""

import asyncio

EVENT = b'data: {"type":"thread.item.updated","item_id":"msg_1","update":{"delta":"word "}}\n\n'


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await receive()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/event-stream")],
        }
    )
    for _ in range(int(scope["query_string"] or 1)):
        await send({"type": "http.response.body", "body": EVENT, "more_body": True})
        await asyncio.sleep(0)  # as an app that waits for its model
    await send({"type": "http.response.body", "body": b"", "more_body": False})
