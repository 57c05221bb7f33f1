"""Every request that the two apps take, made from their routes and from ChatKit's request types.

A new operation, field or route is found by itself. One that this module does not know how to
fill in makes it raise `NotImplementedError`, so that nobody can forget to add it.
"""

import re
import types
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import quote

from chatkit.types import NonStreamingReq, StreamingReq
from pydantic import BaseModel

from functions.actions import app as actions
from functions.chat import app as chat
from functions.web import page_log

OPERATIONS = [*get_args(StreamingReq), *get_args(NonStreamingReq)]

BODIES = {
    "/chatkit/session": chat.SessionOpened,
    "/chatkit/feedback/remove": chat.FeedbackTakenBack,
    "/chatkit/log": page_log.PageEvent,
    "/actions/cancel": actions.Cancel,
    "/actions/transcribe": actions.Uploaded,
    "/actions/uploads": actions.Upload,
}
BODILESS = {
    "/chatkit/session/end",
    "/chatkit/usage",
    "/chatkit/report",
    "/chatkit/me/export",
    "/chatkit/me/delete",
    "/chatkit/health",
    "/actions/health",
}
"""Routes that take no ids, because they are about whoever asks."""
QUERIES = {"/chatkit/entities": {"q": "query"}}
OPERATED = {"/chatkit", "/actions"}
NOBODYS = {"/chatkit/knowledge/passages/{passage_id}"}
"""Documents are no person's: tests/chat/test_chat_knowledge.py has who may open a passage."""

PLACES = ["thread_id", "item_id", "attachment_id", "run_id", "recording", "entity", "after"]
"""Names of values that are ids. `World` has one of each."""

MEANING = {
    "item_ids": "item_id",
    "attachments": "attachment_id",
    "input.content.id": "entity",
    "key": "recording",
}
"""Fields whose value is an id of another name. `after` is an item or a thread."""

ORDINARY = {
    "challenge": "A token",
    "text": "Hello",
    "title": "A title",
    "quoted_text": "A quotation",
    "group": "Items",
    "name": "note.txt",
    "mime_type": "text/plain",
    "size": 5,
    "limit": 20,
    "model": None,
    "query": "milk",
    "level": "info",
    "event": "test",
    "values": "Much",
}
"""What the fields hold that are no ids."""


@dataclass(frozen=True)
class Leaf:
    """A place in a request that holds text: its path, and the kind of id, if it is one."""

    path: tuple[Any, ...]
    kind: str | None = None


@dataclass
class Example:
    """One request as a well-behaved page sends it, with its places."""

    name: str
    method: str
    path: str
    body: Any = None
    in_path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    """Names of the person's own values that are in it."""

    @property
    def url(self) -> str:
        return self.path.format(
            **{name: quote(value, safe="") for name, value in self.in_path.items()}
        )

    def with_value(self, leaf: Leaf, value: str) -> "Example":
        """The request with another value at one place."""
        part, *path = leaf.path
        found = getattr(self, part)
        return replace(self, **{part: _put(found, path, value)})


def _put(found: Any, path: list[Any], value: str) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(found, list):
        return [_put(each, rest, value) if n == first else each for n, each in enumerate(found)]
    return {**found, first: _put(found[first], rest, value)}


class Filler:
    """Fills in a request's fields with a person's own values."""

    def __init__(self, own: dict[str, str], operation: str) -> None:
        self._own = own
        self._operation = operation
        self.leaves: list[Leaf] = []
        self.needs: set[str] = set()

    def model(self, model: type[BaseModel], path: tuple[Any, ...]) -> dict[str, Any]:
        model.model_rebuild()  # names of types that come later in their module
        return {
            name: self.value(each.annotation, (*path, name), each.metadata)
            for name, each in model.model_fields.items()
            if name != "metadata"
        }

    def value(self, kind: Any, path: tuple[Any, ...], metadata: Any = ()) -> Any:
        origin = get_origin(kind)
        if origin is Annotated:
            return self.value(get_args(kind)[0], path)
        if origin in (Union, types.UnionType):
            options = [each for each in get_args(kind) if each is not type(None)]
            return self.value(options[0], path)
        if origin is Literal:
            return get_args(kind)[0]
        if origin is list:
            return self._list(get_args(kind)[0], path)
        if origin is dict or kind is Any:
            return self._free(path)
        if kind is bool:
            return False
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if path[-1] == "tool_choice":
                return None
            if path[-1] == "action":
                self.leaves += [Leaf((*path, "type")), Leaf((*path, "payload", "id"))]
                return {"type": "item.toggle", "payload": {"id": self._own["card"], "done": True}}
            return self.model(kind, path)
        return self._scalar(kind, path)

    def _list(self, kind: Any, path: tuple[Any, ...]) -> list[Any]:
        if get_origin(kind) is Annotated:  # a message's content: text and mentions
            options = get_args(get_args(kind)[0])
            return [self.model(each, (*path, n)) for n, each in enumerate(options)]
        return [self.value(kind, (*path, 0))]

    def _free(self, path: tuple[Any, ...]) -> Any:
        match path[-1]:
            case "result" | "data" | "detail":
                self.leaves.append(Leaf((*path, "id")))
                return {"id": "anything"}
            case "answers":
                self.leaves.append(Leaf((*path, "goal", "values", 0)))
                return {"goal": {"values": ["Much"], "skipped": False}}
        raise NotImplementedError(f"what does {'.'.join(map(str, path))} hold?")

    def _scalar(self, kind: Any, path: tuple[Any, ...]) -> Any:
        names = [part for part in path[1:] if isinstance(part, str)]
        name = names[-1]
        if name == "audio_base64":
            return self._own["audio"]
        if name == "mime_type" and self._operation in {"input.transcribe", "/actions/uploads"}:
            return "audio/wav"
        if name == "size" and self._operation == "/actions/uploads":
            return 20_000
        meaning = next(
            (MEANING[key] for key in (".".join(names[-3:]), name) if key in MEANING), name
        )
        if meaning == "after":
            meaning = "item_id" if self._operation == "items.list" else "thread_id"
        if meaning in PLACES:
            self.leaves.append(Leaf(path, meaning))
            self.needs.add(meaning)
            return self._own.get(meaning, "")
        if name not in ORDINARY:
            raise NotImplementedError(f"what does {'.'.join(names)} hold?")
        if kind is str and ORDINARY[name] is not None:
            self.leaves.append(Leaf(path))
        return ORDINARY[name]


def examples(own: dict[str, str]) -> list[Example]:
    """All requests, with one person's own ids in them."""
    found = [each for operation in OPERATIONS for each in _operation(operation, own)]
    for app in (chat, actions):
        for route in app.router.routes:
            path = route.path
            if path in OPERATED | BODILESS | NOBODYS:
                continue
            found += [_route(method, path, own) for method in sorted(route.methods - {"HEAD"})]
    return found


def _operation(operation: type[BaseModel], own: dict[str, str]) -> list[Example]:
    name = operation.model_fields["type"].default
    filler = Filler(own, name)
    body = filler.model(operation, ("body",))
    sent_to = ["/chatkit"]
    if "action" in name or name == "input.transcribe":
        sent_to.append("/actions")
    headers = {"x-chatkit-run-id": own["run_id"]} if operation in get_args(StreamingReq) else {}
    run = [Leaf(("headers", "x-chatkit-run-id"), "run_id")] if headers else []
    leaves = filler.leaves + run
    return [
        Example(
            f"{name} at {path}", "POST", path, body,
            headers=headers, leaves=leaves, needs=filler.needs,
        )
        for path in sent_to
    ]  # fmt: skip


def _route(method: str, path: str, own: dict[str, str]) -> Example:
    names = re.findall(r"{(\w+)}", path)
    if names:
        inserted = {name: own.get(name, "") for name in names}
        leaves = [Leaf(("in_path", name), name) for name in names]
        return Example(path, method, path, in_path=inserted, leaves=leaves, needs={*names})
    if path in QUERIES:
        query = {name: ORDINARY[meaning] for name, meaning in QUERIES[path].items()}
        return Example(path, method, path, query=query, leaves=[Leaf(("query", n)) for n in query])
    if path in BODIES:
        filler = Filler(own, path)
        body = filler.model(BODIES[path], ("body",))
        return Example(path, method, path, body, leaves=filler.leaves, needs=filler.needs)
    raise NotImplementedError(f"what does {method} {path} take?")
