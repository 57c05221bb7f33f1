"""Which model answers in a test, and what it was asked."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents import Model, ModelResponse
from agents.items import TResponseOutputItem, TResponseStreamEvent
from agents.testing import ModelCall, ModelScriptError, ScriptedModel
from openai.types.responses import ResponseCompletedEvent

from ...llm import DemoScript
from ...llm.demo import DemoModel
from ...llm.demo_script import short_title
from .script import says


@dataclass
class Asked:
    """One call of a model: what it got, and what it answered."""

    call: ModelCall
    output: list[TResponseOutputItem] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def is_title(self) -> bool:
        return asks_for_title(self.call)


class Source(Protocol):
    """Where a test's models are from."""

    def model(self, real: Callable[[], Model], demo: DemoScript) -> Model:
        """The model for one answer. `real` makes the one that the settings choose."""


class Real:
    """The model that the settings choose."""

    def model(self, real: Callable[[], Model], demo: DemoScript) -> Model:  # noqa: ARG002
        return real()


class Demo:
    """The offline demo, without its pauses between words."""

    def model(self, real: Callable[[], Model], demo: DemoScript) -> Model:  # noqa: ARG002
        return _QuickDemo(demo)


class Scripted:
    """A model of the test's. Titles take no step of it: `title` is what it answers when it is asked
    for one, by default the message's first words.
    """

    def __init__(self, given: Model, title: str | Exception | None) -> None:
        self.given = given
        self._title = title

    def model(self, real: Callable[[], Model], demo: DemoScript) -> Model:  # noqa: ARG002
        return _Titled(self.given, self._title)


def configured() -> Real:
    """The model that the settings choose (the environment and `.env`)."""
    return Real()


def asks_for_title(call: ModelCall) -> bool:
    """Whether a call is for a title: it offers no tools, and its instructions speak of one. The
    offline demo tells titles from messages in the same way.
    """
    return not call.tools and "title" in (call.system_instructions or "").lower()


def called_with(args: tuple[Any, ...], kwargs: dict[str, Any], *, streamed: bool) -> ModelCall:
    """The arguments of `Model.get_response` or `stream_response`, by their names."""
    names = (
        "system_instructions",
        "input",
        "model_settings",
        "tools",
        "output_schema",
        "handoffs",
        "tracing",
    )
    return ModelCall(**dict(zip(names, args, strict=False)), **kwargs, streamed=streamed)


def text_in(call: ModelCall) -> str:
    """The text of the newest item that a model got."""
    if isinstance(call.input, str):
        return call.input
    content = call.input[-1].get("content", "") if call.input else ""
    parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    return "\n".join(part for part in parts if part)


class Whole(Model):
    """A model that makes an answer whole (`get_response`), and streams it without a pause."""

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        whole = await self.get_response(*args, **kwargs)
        async for event in ScriptedModel([whole]).stream_response(*args, **kwargs):
            yield event


class _QuickDemo(Whole):
    def __init__(self, demo: DemoScript) -> None:
        self._demo = DemoModel(demo)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return await self._demo.get_response(*args, **kwargs)


class _Titled(Model):
    def __init__(self, model: Model, title: str | Exception | None) -> None:
        self._model = model
        self._title = title

    def _for(self, call: ModelCall) -> Model:
        if not asks_for_title(call):
            return self._model
        title = self._title or short_title(text_in(call))
        return ScriptedModel([title if isinstance(title, Exception) else says(title)])

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        model = self._for(called_with(args, kwargs, streamed=False))
        return await model.get_response(*args, **kwargs)

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        model = self._for(called_with(args, kwargs, streamed=True))
        async for event in model.stream_response(*args, **kwargs):
            yield event


class Observed(Model):
    """Wraps a model, and adds each of its calls to `asked`. A fault of the script is kept in
    `faults`, because a visitor reads no more than that something went wrong.
    """

    def __init__(self, model: Model, asked: list[Asked], faults: list[Exception]) -> None:
        self._model = model
        self._asked = asked
        self._faults = faults

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        asked = self._begin(called_with(args, kwargs, streamed=False))
        try:
            response = await self._model.get_response(*args, **kwargs)
        except ModelScriptError as fault:
            self._faults.append(fault)
            raise
        asked.output = [*response.output]
        asked.input_tokens = response.usage.input_tokens
        asked.output_tokens = response.usage.output_tokens
        return response

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        asked = self._begin(called_with(args, kwargs, streamed=True))
        try:
            async for event in self._model.stream_response(*args, **kwargs):
                if isinstance(event, ResponseCompletedEvent):
                    asked.output = [*event.response.output]
                    if (usage := event.response.usage) is not None:
                        asked.input_tokens = usage.input_tokens
                        asked.output_tokens = usage.output_tokens
                yield event
        except ModelScriptError as fault:
            self._faults.append(fault)
            raise

    def _begin(self, call: ModelCall) -> Asked:
        # The SDK goes on to change the list.
        items = call.input if isinstance(call.input, str) else [*call.input]
        asked = Asked(ModelCall(**{**vars(call), "input": items}))
        self._asked.append(asked)
        return asked
