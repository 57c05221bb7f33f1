"""The engine of one test: both functions' apps on a table and a bucket in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import time
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from agents import Agent, Model
from agents.testing import ScriptedModel
from fastapi import FastAPI, Request
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from ...actions.app import create_app as create_actions
from ...chat.app import create_app as create_chat
from ...knowledge.passages import Document
from ...llm import DemoScript, ModelChoice, build
from ...services import Services
from ...settings import GivenSettings, Settings, get_settings
from ...web.identity import Visitor
from ...web.identity.visitor import TOKEN_HEADER
from .. import Assistant
from .documents import GivenDocuments
from .memory import table_and_bucket
from .models import Asked, Demo, Observed, Real, Scripted, Source
from .recording import Recording
from .script import Step
from .watched import watched

Given = Model | Source | Sequence[Step] | None
"""The model of a test: one of the Agents SDK's, `recorded(…)`, a list of steps, or none for the
offline demo."""

KEY: Final = SecretStr("the key of nobody, for tests only")


@dataclass
class People:
    """Who may chat: people who have signed in, each by the name that a test gives them."""

    visitors: dict[str, Visitor] = field(default_factory=dict)

    def add(self, user_id: str, **about: Any) -> str:
        """The token of a new session."""
        token = str(len(self.visitors))
        self.visitors[token] = Visitor(
            user_id=user_id,
            expires_at=datetime.now(UTC) + timedelta(days=1),
            by_header=True,
            fresh=False,
            new=False,
            token=token,
            began=time(),
            signed_in=True,
            **about,
        )
        return token

    async def identify(self, request: Request) -> Visitor:
        return self.visitors[request.headers[TOKEN_HEADER].removeprefix("Bearer ")]

    async def newcomer(self, request: Request, challenge: str | None = None) -> Visitor:  # noqa: ARG002
        return await self.identify(request)


@dataclass
class World:
    """What all users of one test share."""

    services: Services
    assistant: Assistant
    people: People
    source: Source
    title: str | Exception | None
    asked: list[Asked] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    chat: FastAPI = field(init=False)
    actions: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.services = replace(
            self.services,
            identity=self.people,
            assistant=watched(self.assistant, self.results),
            build_model=self._build,
        )
        self.chat = create_chat(services=self.services)
        self.actions = create_actions(services=self.services)

    def _build(self, choice: ModelChoice, name: str, key: str, demo: DemoScript) -> Model:
        model = self.source.model(partial(build, choice, name, key, demo), demo)
        return Observed(model, self.asked, self.faults)

    @property
    def model(self) -> Any:
        """The `ScriptedModel` that a list of steps became, or what was given."""
        return self.source.given if isinstance(self.source, Scripted) else self.source

    async def upload(self, descriptor: Mapping[str, Any], content: bytes) -> None:
        """What the browser does with the link that it gets."""
        bucket = self.services.bucket
        key = unquote(urlsplit(descriptor["url"]).path).lstrip("/")
        kind = {name.lower(): value for name, value in descriptor["headers"].items()}
        await bucket.put(key, content, kind["content-type"])

    def use(self, given: Given) -> None:
        """Answer with this model from now on. Raises when the one before was not used up."""
        self.check_end()
        self.close()
        self.source = source_of(given, self.title)

    def check_end(self) -> None:
        """Raises `ModelScriptError` when steps of a script or of a recording are left."""
        if isinstance(self.source, Scripted) and isinstance(self.source.given, ScriptedModel):
            self.source.given.assert_complete()
        if isinstance(self.source, Recording):
            self.source.check_end()

    def close(self) -> None:
        """Write what was recorded, also for a test that fails: it was paid for."""
        if isinstance(self.source, Recording):
            self.source.close()


def source_of(given: Given, title: str | Exception | None) -> Source:
    if given is None:
        return Demo()
    if isinstance(given, Model):
        return Scripted(given, title)
    if isinstance(given, Sequence):
        return Scripted(ScriptedModel(given), title)
    return given


class _CheckedSettings(GivenSettings):
    """An unknown name is an error: a test has mistyped it."""

    model_config = SettingsConfigDict(extra="forbid")


def _settings(source: Source, more: Mapping[str, Any]) -> Settings:
    """Those of the environment for a real model, else the defaults."""
    if isinstance(source, Real) or (isinstance(source, Recording) and source.records):
        own = get_settings()
        defaults = GivenSettings()
        unlimited = {
            name: getattr(defaults, name)
            for name in ("data_role", "limits", "messages_per_minute", "messages_per_day")
        }
        key = {} if own.cookie_key or own.cookie_key_secret else {"cookie_key": KEY}
        return _CheckedSettings(**{**dict(own), **unlimited, **key, **more})
    return _CheckedSettings(**{"cookie_key": KEY, **more})


@asynccontextmanager
async def world(
    assistant: "Assistant | Agent[Any] | str | None",
    source: Source,
    title: str | Exception | None,
    settings: Mapping[str, Any],
    documents: Mapping[str, str | Document] | None = None,
) -> AsyncIterator[World]:
    """Start both apps, and end them after the block."""
    if isinstance(assistant, Agent):
        assistant = Assistant(agent=assistant)
    named = get_settings().assistant if assistant is None else assistant
    if isinstance(named, str):
        settings = {"assistant": named, **settings}
    async with AsyncExitStack() as stack:
        table, bucket = stack.enter_context(table_and_bucket())
        services = Services.of(_settings(source, settings), table, bucket)
        if documents is not None:
            services = replace(services, knowledge=GivenDocuments(documents))
        own = assistant if isinstance(assistant, Assistant) else services.assistant
        made = World(services, own, People(), source, title)
        for app in (made.chat, made.actions):
            await stack.enter_async_context(app.router.lifespan_context(app))
        stack.callback(made.close)
        yield made
        made.check_end()
