"""Uses the installed library as the README does, and prints what it saw as JSON.

The tests run it with the Python of an installation. `app.py` and `create.py` are the README's.
"""

import asyncio
import importlib
import json
import pkgutil
import sys
from urllib.request import Request, urlopen

import chatkit_serverless
import create  # noqa: F401 - creates the table and the bucket
from app import server
from chatkit.server import StreamingResult

import functions

TEXT = b"What a person attached."
ADA, BOB = {"user_id": "ada"}, {"user_id": "bob"}


async def ask(kind, params, context=ADA):
    """One ChatKit request: the events of a stream, or the one answer."""
    body = json.dumps({"type": kind, "params": params}).encode()
    result = await server.process(body, context)
    if isinstance(result, StreamingResult):
        return [json.loads(event.removeprefix(b"data: ")) async for event in result]
    return json.loads(result.json)


async def upload() -> str:
    """Announce a file and send its bytes where the answer says, as a browser does."""
    file = {"name": "note.txt", "size": len(TEXT), "mime_type": "text/plain"}
    attachment = await ask("attachments.create", file)
    to = attachment["upload_descriptor"]
    urlopen(Request(to["url"], TEXT, to["headers"], method=to["method"])).close()  # noqa: ASYNC210
    return attachment["id"]


async def converse() -> dict[str, object]:
    attachment_id = await upload()
    message = {
        "content": [{"type": "input_text", "text": "Hi"}],
        "attachments": [attachment_id],
        "inference_options": {},
    }
    events = await ask("threads.create", {"input": message})
    thread_id = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
    items = (await ask("items.list", {"thread_id": thread_id, "order": "asc"}))["data"]
    attachment = await server.store.load_attachment(attachment_id, ADA)
    return {
        "items": [item["type"] for item in items],
        "said": items[1]["content"][0]["text"],
        "file": (await server.attachment_store.read(attachment, ADA)).decode(),
        "threads": len((await ask("threads.list", {}))["data"]),
        "threads of another user": len((await ask("threads.list", {}, BOB))["data"]),
    }


def import_everything() -> dict[str, object]:
    for module in pkgutil.walk_packages(chatkit_serverless.__path__, "chatkit_serverless."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    return {
        "toolkit": sys.modules["chatkit_serverless.toolkit"].__all__,
        "functions": functions.BELONGS_TO,
        "loaded functions": [name for name in sys.modules if name.startswith("functions.")],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(converse()) | import_everything()))
