"""The requests of one user, and what comes of them."""

import warnings
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from chatkit.types import ThreadItem, ThreadStreamEvent
from pydantic import TypeAdapter

from ...web.identity.visitor import TOKEN_HEADER
from .models import Asked
from .said import Said, shows_text
from .wire import Answer, send
from .world import World

T = TypeVar("T")

_EVENT: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)
_ITEMS: TypeAdapter[list[ThreadItem]] = TypeAdapter(list[ThreadItem])


class Session:
    """One user, and the conversation that they have open: `thread_id`, None before the first
    message. A request that is refused raises `Refused`.
    """

    def __init__(self, within: World, token: str, headers: Mapping[str, str]) -> None:
        self._world = within
        self._headers = {**headers, TOKEN_HEADER: f"Bearer {token}"}
        self._known: dict[str, ThreadItem] = {}
        self.thread_id: str | None = None

    async def get(self, path: str) -> Any:
        """The JSON of a route, such as one of the assistant's under `/chatkit/x`."""
        return (await self._send("GET", path)).json

    async def post(self, path: str, body: Any) -> Any:
        """Post JSON to a route. Returns its JSON."""
        return (await self._send("POST", path, body)).json

    async def request(self, kind: str, path: str = "/chatkit", /, **params: Any) -> Any:
        """Any operation of ChatKit's that does not stream, such as `threads.list`: its JSON."""
        return await self.post(path, {"type": kind, "params": params})

    async def _send(self, method: str, target: str, body: Any = None) -> Answer:
        app = self._world.actions if target.startswith("/actions") else self._world.chat
        answer = await send(app, method, target, self._headers, body)
        if answer.status == HTTPStatus.TEMPORARY_REDIRECT:  # an action that the model answers
            return await self._send(method, answer.headers["location"], body)
        return answer

    async def _stream(self, kind: str, path: str = "/chatkit", /, **params: Any) -> Said:
        before = len(self._world.asked)
        answer = await self._send("POST", path, {"type": kind, "params": params})
        if self._world.faults:
            raise self._world.faults.pop()
        came = [(seconds, _read(_EVENT, event)) for seconds, event in answer.events()]
        for _, event in came:
            if event.type == "thread.created":
                self.thread_id = event.thread.id
        return await self._said(came, self._world.asked[before:])

    async def _said(self, came: list[tuple[float, ThreadStreamEvent]], asked: list[Asked]) -> Said:
        known = self._known
        title, items = await self._listed()
        return Said(
            events=[event for _, event in came],
            items=items,
            new=[item for item in items if known.get(item.id) != item],
            title=title,
            asked=asked,
            results=dict(self._world.results),
            first_text_seconds=next((s for s, event in came if shows_text(event)), None),
        )

    async def _listed(self) -> tuple[str | None, list[ThreadItem]]:
        """The conversation's title and its items, as the page loads them."""
        thread = await self.request("threads.get_by_id", thread_id=self.thread_id)
        page = thread["items"]
        found = page["data"]
        while page["has_more"]:
            page = await self.request(
                "items.list",
                thread_id=self.thread_id,
                order="asc",
                limit=100,
                after=page["after"],
            )
            found += page["data"]
        items = _read(_ITEMS, found)
        self._known = {item.id: item for item in items}
        return thread["title"], items


def _read(kind: TypeAdapter[T], value: Any) -> T:
    with warnings.catch_warnings():
        # ChatKit advises against writing widgets with the classes that it reads them into.
        warnings.simplefilter("ignore", DeprecationWarning)
        return kind.validate_python(value)
