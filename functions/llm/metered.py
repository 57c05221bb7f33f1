"""Counts the tokens of a model's calls, and reserves them before a call begins."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, Literal

from agents import Model, ModelResponse, ModelSettings
from agents.items import TResponseStreamEvent

from ..limit_table import Price
from ..limits.answer_use import AnswerUse
from .length import BYTES_OF_A_TOKEN, tokens
from .wrapped import WrappedModel

IMAGE_TOKENS: Final = 1_600
"""Counted for each image, whatever its size. Models cut large images into tiles; most take 500 to
1,600 tokens."""

PDF_BYTES_OF_A_TOKEN: Final = 25
"""A page with 50 KB has some 2,000 tokens, as text and as a picture."""

MOST_PDF_TOKENS: Final = 150_000
"""Providers take a hundred pages or so of a PDF."""

TOKENS_A_SECOND: Final = 50
"""How fast a model writes or thinks, for calls of which the provider reports nothing."""

UNKNOWN_OUTPUT: Final = 4_096
"""Tokens that are reserved for the output of a call without a limit of its own."""


class MeteredModel(WrappedModel):
    """Wraps a model, and counts its calls in `use`. A call over a limit raises `OverLimit`.

    What the provider reports is counted. Where it reports nothing, because the visitor has stopped
    the answer or the connection broke, the tokens that were sent and that came are estimated. If
    they counted as none, stopping each answer just before its end would make it free. A model that
    thinks shows nothing meanwhile, so a call counts `TOKENS_A_SECOND` at least.

    `output_limit` is the most that a call may write, `None` for the model's own limit, and
    `limit_name` what the provider calls it. With `ask` the provider is asked to report. `price` is
    the model's, `None` for that of the answer.
    """

    def __init__(
        self,
        model: Model,
        use: AnswerUse,
        *,
        output_limit: int | None,
        limit_name: Literal["max_tokens", "max_completion_tokens"],
        ask: bool,
        price: Price | None = None,
    ) -> None:
        super().__init__(model)
        self._use = use
        self._output_limit = output_limit
        self._limit_name = limit_name
        self._ask = ask
        self._price = price

    async def get_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        tools: Any,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        settings = self._settings(model_settings)
        async with self._counted(system_instructions, input, tools, settings) as call:
            response = await self._model.get_response(
                system_instructions, input, settings, tools, *args, **kwargs
            )
            call.report(response.usage)
            return response

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        tools: Any,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        settings = self._settings(model_settings)
        async with self._counted(system_instructions, input, tools, settings) as call:
            async for event in self._model.stream_response(
                system_instructions, input, settings, tools, *args, **kwargs
            ):
                call.observe(event)
                yield event

    def _settings(self, given: ModelSettings) -> ModelSettings:
        """The settings of a call, with the limit of its output, unless the agent has set one."""
        if self._ask:
            given = replace(given, include_usage=True)
        if self._output_limit is None or given.max_tokens is not None:
            return given
        if self._limit_name == "max_tokens":
            return replace(given, max_tokens=self._output_limit)
        more = {self._limit_name: self._output_limit, **(given.extra_args or {})}
        return replace(given, extra_args=more)

    @asynccontextmanager
    async def _counted(
        self, instructions: str | None, sent: Any, tools: Any, settings: ModelSettings
    ) -> AsyncIterator["_Call"]:
        expected = input_tokens(instructions, sent, tools)
        most = settings.max_tokens or self._output_limit or UNKNOWN_OUTPUT
        reserved = await self._use.begin_call(expected, most, price=self._price)
        call = _Call(expected, most)
        try:
            yield call
        except Exception:
            # A call that did not begin was refused by the provider, or did not reach it.
            numbers = call.numbers() if call.began else (0, 0)
            self._use.end_call(reserved, *numbers, price=self._price)
            raise
        except BaseException:  # stopped
            self._use.end_call(reserved, *call.numbers(), price=self._price)
            raise
        self._use.end_call(reserved, *call.numbers(), price=self._price)


class _Call:
    """What one call has used, as far as is known."""

    def __init__(self, expected: int, most: int) -> None:
        self.began = False
        self._expected = expected
        self._most = most
        self._started = time.monotonic()
        self._seen = 0
        self._reported: tuple[int, int, int] | None = None

    def observe(self, event: TResponseStreamEvent) -> None:
        self.began = True
        delta = getattr(event, "delta", None)
        if isinstance(delta, str):
            self._seen += len(delta.encode())
        response = getattr(event, "response", None)
        if response is not None and response.usage is not None:
            self.report(response.usage)

    def report(self, usage: Any) -> None:
        """Take the numbers of the provider, unless they are all zero: then it reports none."""
        self.began = True
        if usage.input_tokens or usage.output_tokens:
            cached = getattr(usage.input_tokens_details, "cached_tokens", 0) or 0
            self._reported = (usage.input_tokens, usage.output_tokens, cached)

    def numbers(self) -> tuple[int, int, int]:
        """Tokens that went in, that came out, and those of the first that were cached."""
        if self._reported is not None:
            return self._reported
        seen = -(-self._seen // BYTES_OF_A_TOKEN)
        thought = round((time.monotonic() - self._started) * TOKENS_A_SECOND)
        return self._expected, max(seen, min(thought, self._most)), 0


def input_tokens(instructions: str | None, sent: Any, tools: Sequence[Any]) -> int:
    """The estimated tokens of a call: its texts, files, instructions and descriptions of tools."""
    items = sent if isinstance(sent, list) else [{"content": str(sent)}]
    described = [
        f"{tool.name}{getattr(tool, 'description', '')}"
        f"{json.dumps(getattr(tool, 'params_json_schema', {}))}"
        for tool in tools
    ]
    texts = [instructions or "", *described]
    size = sum(len(text.encode()) for text in texts) // BYTES_OF_A_TOKEN
    return size + tokens(items) + sum(_file_tokens(item) for item in items)


def _file_tokens(item: Any) -> int:
    content = item.get("content")
    if not isinstance(content, list):
        return 0
    kinds = [part.get("type") for part in content]
    pdfs = [len(part.get("file_data") or "") * 3 // 4 for part in content]  # Base64
    tokens_of_pdfs = sum(min(size // PDF_BYTES_OF_A_TOKEN, MOST_PDF_TOKENS) for size in pdfs)
    return kinds.count("input_image") * IMAGE_TOKENS + tokens_of_pdfs
