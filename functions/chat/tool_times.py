"""Records the calls of tools of an agent's run."""

import time
from typing import Any

from agents import Agent, ModelResponse, RunContextWrapper, RunHooks, Tool, TResponseInputItem
from agents.tool_context import ToolContext

from ..run_record import ToolCall
from ..toolkit.tools import FAILED


class ToolTimes(RunHooks[Any]):
    """Adds the run's calls of tools to `calls`, and hands everything on to the hooks `then`."""

    def __init__(self, calls: list[ToolCall], then: "RunHooks[Any] | None") -> None:
        self._calls = calls
        self._then = then or RunHooks[Any]()
        self._began: dict[str, tuple[str, float]] = {}

    async def on_tool_start(
        self, context: RunContextWrapper[Any], agent: Agent[Any], tool: Tool
    ) -> None:
        self._began[_id(context, tool)] = (tool.name, time.monotonic())
        await self._then.on_tool_start(context, agent, tool)

    async def on_tool_end(
        self, context: RunContextWrapper[Any], agent: Agent[Any], tool: Tool, result: object
    ) -> None:
        self._end(_id(context, tool), failed=_text(result).startswith(FAILED))
        await self._then.on_tool_end(context, agent, tool, result)

    def fail_rest(self) -> None:
        """Record the calls that have not ended: one of them has raised, and so ended the run."""
        for each in list(self._began):
            self._end(each, failed=True)

    def _end(self, call: str, *, failed: bool) -> None:
        if (began := self._began.pop(call, None)) is not None:
            name, at = began
            ms = round((time.monotonic() - at) * 1000)
            self._calls.append(ToolCall(name=name, ms=ms, outcome="failed" if failed else "ok"))

    async def on_llm_start(
        self,
        context: RunContextWrapper[Any],
        agent: Agent[Any],
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        await self._then.on_llm_start(context, agent, system_prompt, input_items)

    async def on_llm_end(
        self, context: RunContextWrapper[Any], agent: Agent[Any], response: ModelResponse
    ) -> None:
        await self._then.on_llm_end(context, agent, response)

    async def on_agent_start(self, context: Any, agent: Agent[Any]) -> None:
        await self._then.on_agent_start(context, agent)

    async def on_agent_end(self, context: Any, agent: Agent[Any], output: Any) -> None:
        await self._then.on_agent_end(context, agent, output)

    async def on_handoff(
        self, context: RunContextWrapper[Any], from_agent: Agent[Any], to_agent: Agent[Any]
    ) -> None:
        await self._then.on_handoff(context, from_agent, to_agent)


def _id(context: RunContextWrapper[Any], tool: Tool) -> str:
    return context.tool_call_id if isinstance(context, ToolContext) else tool.name


def _text(result: object) -> str:
    """The text that a tool returned. Tools of MCP servers return it as a dict."""
    text = result.get("text") if isinstance(result, dict) else result
    return text if isinstance(text, str) else ""
