"""Reads what was written, for the events that carry it."""

from itertools import takewhile
from typing import Final
from urllib.parse import unquote

from chatkit.store import NotFoundError
from chatkit.types import AssistantMessageItem, ThreadItem, UserMessageItem

from ..aws import owner_sessions
from ..context import RequestContext
from ..store import DynamoDBStore
from .domain_events import AnswerCompleted, MessageReceived

MAX_TEXT: Final = 10_000
"""Characters of a text in an event, which may have 256 KB."""

ITEMS: Final = 50
"""Items behind a message among which its answer is looked for."""


class Texts:
    """The texts of messages and answers. Each is read in the session of its owner."""

    def __init__(self, store: DynamoDBStore) -> None:
        self._store = store

    async def of(self, event: MessageReceived | AnswerCompleted, user: str) -> str | None:
        """What the event tells of; None when it is gone. `user` is a key part. Two round trips."""
        if event.message is None:
            return None
        with owner_sessions.acting_for(user):
            context = RequestContext(user_id=unquote(user))
            try:
                if isinstance(event, MessageReceived):
                    found = [await self._store.load_item(event.thread, event.message, context)]
                else:
                    found = await self._answer(event.thread, event.message, context)
            except NotFoundError:
                return None
        text = "\n\n".join(filter(None, map(_text, found)))
        return text[:MAX_TEXT] or None

    async def _answer(self, thread: str, message: str, context: RequestContext) -> list[ThreadItem]:
        """The items between a message and the next one."""
        page = await self._store.load_thread_items(thread, message, ITEMS, "asc", context)
        return list(takewhile(lambda item: not isinstance(item, UserMessageItem), page.data))


def _text(item: ThreadItem) -> str:
    if not isinstance(item, UserMessageItem | AssistantMessageItem):
        return ""
    return "".join(part.text for part in item.content)
