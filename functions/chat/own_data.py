"""A visitor's own data: all of it as one JSON document, and its deletion."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from ..services import Services
from ..web.identity import Visitor

DELETE_SECONDS: Final = 45.0
"""After this a deletion is asked for again: CloudFront waits 60 s for an answer, as deployed."""


async def export(services: Services, visitor: Visitor) -> AsyncIterator[bytes]:
    """Everything of the visitor as one JSON document, in pieces: see `DynamoDBStore.export_user`.

    It ends with `"complete": true`, so that a part of it cannot be taken for the whole.
    """
    head = json.dumps({"user": visitor.user_id, "at": datetime.now(UTC).isoformat()})
    yield f'{head[:-1]}, "entries": ['.encode()
    separator = "\n"
    async for entry in services.store.export_user(visitor.user_id):
        yield f"{separator}{json.dumps(entry, ensure_ascii=False)}".encode()
        separator = ",\n"
    yield b'\n], "complete": true}\n'


async def delete(services: Services, visitor: Visitor, deadline: float) -> bool:
    """Delete everything of the visitor and end their sessions: see `DynamoDBStore.delete_user`.

    False when it was not done by the deadline (Unix seconds), or after `DELETE_SECONDS`: then it
    has to be called again, and goes on where it was. The sessions end last, so that it can be.
    Somebody new has nothing to delete, and nothing is asked of AWS.
    """
    if visitor.new:
        return True
    seconds = min(DELETE_SECONDS, deadline - time.time())
    try:
        async with asyncio.timeout(seconds):
            await services.store.delete_user(visitor.user_id)
    except TimeoutError:
        return False
    await services.sessions.end_all(visitor)
    return True
