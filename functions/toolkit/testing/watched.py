"""Watches what the tools of an assistant return."""

from typing import Any, cast

from agents import Agent, RunContextWrapper, RunHooks
from agents.tool_context import ToolContext

from .. import Assistant, Turn


class _Results(RunHooks[Any]):
    """Keeps what tools return, and calls the assistant's own hooks."""

    def __init__(self, results: dict[str, str], own: RunHooks[Any] | None) -> None:
        self._results = results
        self._own = own or RunHooks()

    async def on_tool_end(
        self, context: RunContextWrapper[Any], agent: Agent[Any], tool: Any, result: object
    ) -> None:
        if isinstance(context, ToolContext):
            self._results[context.tool_call_id] = _text(result)
        await self._own.on_tool_end(context, agent, tool, result)

    async def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_llm_start(*args, **kwargs)

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_llm_end(*args, **kwargs)

    async def on_agent_start(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_agent_start(*args, **kwargs)

    async def on_agent_end(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_agent_end(*args, **kwargs)

    async def on_handoff(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_handoff(*args, **kwargs)

    async def on_tool_start(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_tool_start(*args, **kwargs)


def _text(result: Any) -> str:
    """What the model reads of it. The tools of MCP servers return parts, as a dictionary each."""
    parts = result if isinstance(result, list) else [result]
    if parts and all(isinstance(part, dict) and "text" in part for part in parts):
        return "\n".join(str(part["text"]) for part in parts)
    return str(result)


class _Watched:
    """The assistant, whose runs keep what tools return in `results`."""

    def __init__(self, assistant: Assistant, results: dict[str, str]) -> None:
        self._assistant = assistant
        self._results = results

    def __getattr__(self, name: str) -> Any:
        return getattr(self._assistant, name)

    def hooks(self, turn: Turn) -> RunHooks[Any]:
        return _Results(self._results, self._assistant.hooks(turn))


def watched(assistant: Assistant, results: dict[str, str]) -> Assistant:
    return cast("Assistant", _Watched(assistant, results))
