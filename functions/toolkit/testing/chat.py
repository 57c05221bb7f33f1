"""`assistant_under_test`: conversations with an assistant, through the whole engine, in memory."""

import mimetypes
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote as encoded

from agents import Agent
from chatkit.types import ThreadItem, ThreadMetadata, UserMessageItem, WidgetItem
from chatkit.widgets import WidgetRoot

from ...attachments import S3AttachmentStore
from ...context import RequestContext
from ...knowledge.passages import Document as KnownDocument
from ...store import DynamoDBStore
from .. import Assistant, Document, Documents, Entity, ThreadData
from .cards import buttons
from .said import Said, only
from .session import Session
from .world import Given, World, source_of, world

PAGE_CAN: Final = ("client_tools", "widget_actions")
"""What the page of a test can do by default: all that there is."""


class Chat(Session):
    """One user, and the conversation that they have open: `thread_id`, None before the first
    message. Every request takes the way that it takes in production, through both functions' apps.

    A request that is refused raises `Refused`. What fails after an answer has begun is in
    `Said.error`.
    """

    def __init__(self, within: World, user_id: str, headers: Mapping[str, str], about: Any) -> None:
        can = {"x-chatkit-page-can": " ".join(PAGE_CAN)}
        super().__init__(within, within.people.add(user_id, **about), {**can, **headers})
        self.user_id = user_id
        self.context = RequestContext(user_id=user_id, tenant=about["tenant"], roles=about["roles"])
        """Whose things `store` reads: this user's."""

    # What the model answers.

    @property
    def model(self) -> Any:
        """The model that answers: the Agents SDK's `ScriptedModel` for a list of steps."""
        return self._world.model

    @model.setter
    def model(self, given: Given) -> None:
        self._world.use(given)

    # What the user does.

    async def say(
        self,
        text: str,
        *,
        tool: str | None = None,
        model: str | None = None,
        mentions: Sequence[Entity] = (),
        files: Mapping[str, bytes] | None = None,
        quote: str | None = None,
    ) -> Said:
        """Send a message, and wait for the whole answer.

        `tool` and `model` are what the user picked from the page's menus, `mentions` comes from
        `entities`, `files` has contents by their names, and `quote` is what the message refers to.
        """
        content: list[dict[str, Any]] = [{"type": "input_text", "text": text}]
        content += [
            {"type": "input_tag", "id": each.id, "text": each.title, "data": each.data}
            | {"group": each.group, "interactive": each.interactive}
            for each in mentions
        ]
        options = {"tool_choice": {"id": tool} if tool else None, "model": model}
        message = {
            "content": content,
            "attachments": [await self.upload(*file) for file in (files or {}).items()],
            "quoted_text": quote,
            "inference_options": options,
        }
        if self.thread_id is None:
            return await self._stream("threads.create", input=message)
        return await self._stream(
            "threads.add_user_message", input=message, thread_id=self.thread_id
        )

    async def press(
        self,
        card: "WidgetItem | Said | None",
        action: str,
        payload: Mapping[str, Any] | None = None,
    ) -> Said:
        """Press what sends `action` on a card: a `WidgetItem`, or what was said with it. None for
        an action that the page sends without a card.

        Without a payload, the card's only button for `action` is pressed. A payload is sent as it
        is: a form's, or that of one of several buttons.
        """
        item = card.widget if isinstance(card, Said) else card
        if payload is None:
            payload = {} if item is None else only(buttons(item, action), f"button {action}")
        params = {
            "thread_id": self.thread_id if item is None else item.thread_id,
            "item_id": None if item is None else item.id,
            "action": {"type": action, "payload": dict(payload)},
        }
        declared = self._world.assistant.actions.get(action)
        if declared is not None and declared.kind == "sync":
            await self.request("threads.sync_custom_action", "/actions", **params)
            return await self._said([], [])
        return await self._stream("threads.custom_action", "/actions", **params)

    async def client_tool_result(self, result: Any) -> Said:
        """Return what the page's tool has returned (see `Said.client_tool`)."""
        return await self._stream(
            "threads.add_client_tool_output", thread_id=self.thread_id, result=result
        )

    async def answer(self, item: ThreadItem, answers: Mapping[str, Sequence[str]]) -> Said:
        """Answer the questions of a `structured_input` item. `answers` has values by the ids."""
        given = {name: {"values": [*values]} for name, values in answers.items()}
        return await self._stream(
            "threads.add_structured_input",
            thread_id=self.thread_id,
            item_id=item.id,
            input={"status": "answered", "answers": given},
        )

    async def retry(self, message: ThreadItem | None = None) -> Said:
        """Have a message answered again: the newest one by default."""
        if message is None:
            message = [item for item in await self.items() if isinstance(item, UserMessageItem)][-1]
        return await self._stream(
            "threads.retry_after_item", thread_id=self.thread_id, item_id=message.id
        )

    def new_thread(self) -> None:
        """Begin another conversation with the next message."""
        self.thread_id, self._known = None, {}

    def as_user(
        self,
        user_id: str,
        *,
        roles: Collection[str] = (),
        tenant: str | None = None,
        name: str | None = None,
        email: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Chat":
        """Another user, who has signed in, without a conversation yet. `headers` go with each of
        their requests; `accept-language` is one.
        """
        about = {"roles": frozenset(roles), "tenant": tenant, "name": name, "email": email}
        return Chat(self._world, user_id, headers or {}, about)

    # What is stored.

    async def items(self) -> list[ThreadItem]:
        """The conversation as the page lists it, oldest first."""
        return [] if self.thread_id is None else (await self._listed())[1]

    @property
    def documents(self) -> Documents:
        """The documents that the assistant stores for this user."""
        return self._world.services.documents(self.context)

    async def read(self, document: Document[Any]) -> Any:
        """What the assistant stores for this user as `document`."""
        return await self.documents.read(document)

    @property
    def thread_data(self) -> ThreadData[Any]:
        """What the assistant stores for this conversation."""
        if self.thread_id is None:
            raise AssertionError("there is no conversation yet")
        return self.documents.of_thread(self.thread_id)

    @property
    def files(self) -> S3AttachmentStore:
        """The files and images of conversations. It wants `context`."""
        return self._world.services.attachments

    @property
    def store(self) -> DynamoDBStore:
        """The store of conversations, for what has no method here. It wants `context`."""
        return self._world.services.store

    async def show(self, widget: WidgetRoot) -> WidgetItem:
        """Put a card into the conversation, such as one that an older assistant has shown."""
        if self.thread_id is None:
            thread = ThreadMetadata(
                id=self.store.generate_thread_id(self.context), created_at=_now()
            )
            await self.store.save_thread(thread, self.context)
            self.thread_id = thread.id
        thread = await self.store.load_thread(self.thread_id, self.context)
        item = WidgetItem(
            id=self.store.generate_item_id("message", thread, self.context),
            thread_id=thread.id,
            created_at=_now(),
            widget=widget,
        )
        await self.store.add_thread_item(thread.id, item, self.context)
        self._known[item.id] = item
        return item

    # Other requests.

    async def entities(self, query: str = "") -> list[Entity]:
        """What the user finds when they type @ and `query`."""
        found = await self.get(f"/chatkit/entities?q={encoded(query)}")
        return [Entity(**each) for each in found["entities"]]

    async def upload(self, name: str, content: bytes, mime_type: str | None = None) -> str:
        """Upload a file as the page does. Returns its id."""
        kind = mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        announced = await self.request(
            "attachments.create", name=name, size=len(content), mime_type=kind
        )
        await self._world.upload(announced["upload_descriptor"], content)
        return str(announced["id"])


def _now() -> datetime:
    return datetime.now()  # noqa: DTZ005 - naive, as ChatKit's own items are


@asynccontextmanager
async def assistant_under_test(
    assistant: "Assistant | Agent[Any] | str | None" = None,
    model: Given = None,
    *,
    title: str | Exception | None = None,
    user_id: str = "ada",
    roles: Collection[str] = (),
    settings: Mapping[str, Any] | None = None,
    documents: Mapping[str, str | KnownDocument] | None = None,
) -> AsyncIterator[Chat]:
    """A chat with an assistant, for one test.

        async with assistant_under_test(assistant, [says("Hello!")]) as chat:
            said = await chat.say("Hi")
            assert said.text == "Hello!"

    `assistant` is an `Assistant`, an agent, or the name of a module; by default that of the
    settings. `model` is a list of steps, a model of the Agents SDK's, or `recorded(…)`; by default
    the offline demo answers. A list must be used up. `title` is what the model answers, or fails
    with, when it is asked for a title. `user_id` and `roles` are those of the first user.
    `settings` are fields of `functions.settings.Settings`; the environment and `.env` are not read.
    `documents` are what `turn.knowledge` searches, texts by their paths, with a passage for each
    paragraph; without any, none are indexed.
    """
    async with world(
        assistant, source_of(model, title), title, settings or {}, documents
    ) as within:
        about = {"roles": frozenset(roles), "tenant": None, "name": None, "email": None}
        yield Chat(within, user_id, {}, about)
