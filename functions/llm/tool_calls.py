"""Numbers the tool calls of a chat completion.

OpenAI numbers parallel calls by their `index`. Gemini's endpoint leaves it out or gives every call
the same one, and the Agents SDK would make one call of them all, with the arguments of each.
"""

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any
from uuid import uuid4

from openai import AsyncOpenAI, AsyncStream
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall


class NumberingClient(AsyncOpenAI):
    """OpenAI's client. The tool calls of each chat completion that it streams are numbered."""

    @cached_property
    def chat(self) -> AsyncChat:
        return _Chat(self)


class _Chat(AsyncChat):
    def __init__(self, client: AsyncOpenAI) -> None:
        super().__init__(client)
        self._completions = _Completions(client)

    @cached_property
    def completions(self) -> AsyncCompletions:
        return self._completions


class _Completions(AsyncCompletions):
    async def create(self, *args: Any, **kwargs: Any) -> Any:
        answer = await super().create(*args, **kwargs)
        return _numbered(answer) if isinstance(answer, AsyncStream) else answer


async def _numbered(
    stream: AsyncStream[ChatCompletionChunk],
) -> AsyncIterator[ChatCompletionChunk]:
    calls = _Calls()
    async with stream:
        async for chunk in stream:
            for choice in chunk.choices or []:
                for part in (choice.delta and choice.delta.tool_calls) or []:
                    calls.number(part)
            yield chunk


class _Calls:
    """The calls of one answer. `number` sets the number of each part, and an id where none is."""

    def __init__(self) -> None:
        self._count = 0
        self._by_id: dict[str, int] = {}
        self._by_index: dict[int | None, int] = {}
        """The newest call with each `index` of the provider's."""

    def number(self, part: ChoiceDeltaToolCall) -> None:
        index: int | None = part.index  # None where a provider leaves it out
        if self._is_new(part, index):
            part.id = part.id or f"call_{uuid4().hex}"
            self._by_id[part.id] = self._by_index[index] = self._count
            self._count += 1
        part.index = self._by_id[part.id] if part.id else self._by_index[index]

    def _is_new(self, part: ChoiceDeltaToolCall, index: int | None) -> bool:
        if part.id:
            return part.id not in self._by_id
        # Without an id, only a part without a number begins a call by its name.
        names = part.function is not None and bool(part.function.name)
        return index not in self._by_index or (index is None and names)
