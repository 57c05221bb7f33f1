"""Runs an agent of the Agents SDK, and yields its answer as ChatKit's events."""

import contextlib
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from agents import (
    Agent,
    InputGuardrailTripwireTriggered,
    MultiProvider,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    RunResultStreaming,
    RunState,
    ToolExecutionConfig,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    TResponseInputItem,
)
from agents.run import CallModelData, CallModelInputFilter, ModelInputData
from chatkit.agents import stream_agent_response
from chatkit.server import agents_sdk_user_agent_override
from chatkit.types import (
    ClientToolCallItem,
    ProgressUpdateEvent,
    ThreadItemDoneEvent,
    ThreadStreamEvent,
)

from .. import aws
from ..llm.length import with_bounded_outputs
from ..llm.model_input import with_json_arguments, with_marked_outputs
from ..services import Services
from ..toolkit import Assistant
from .approvals import Approvals
from .generated_images import GeneratedImages
from .mcp_servers import connected, with_servers
from .speakers import Speakers
from .tool_memory import calls_of
from .tool_times import ToolTimes

if TYPE_CHECKING:
    from .turn import ServedTurn

MAX_TOOLS_AT_ONCE: Final = 8
"""Calls of one response that run at the same time, unless the assistant's `run_config` says
otherwise. Further calls wait for these."""


async def run(
    turn: "ServedTurn", agent: Agent[Any] | None, services: Services
) -> AsyncGenerator[ThreadStreamEvent]:
    """The events of `agent`, or of the assistant's agent for this turn.

    When the iterator ends early, so does the run, and the model makes no more tokens.
    """
    assistant = services.assistant
    agent = agent or await _chosen(assistant, turn)
    approvals = Approvals(turn, services)
    given: list[TResponseInputItem] | RunState[Any, Any]
    if (kept := turn.take_kept_run()) is None:
        given, servers = await aws.together(
            turn.memory.input_for(agent.model), connected(turn, services)
        )
        agent = with_servers(agent, servers)
    else:
        try:
            agent = with_servers(agent, await connected(turn, services))
            given = await approvals.restore(kept, agent)
        except Exception:
            turn.go_on_with(kept)  # nothing went on with it, so the server lets it expire
            raise
    times = ToolTimes(turn.tool_calls, assistant.hooks(turn))
    with agents_sdk_user_agent_override():
        result = Runner.run_streamed(
            agent,
            given,
            context=turn,
            max_turns=assistant.max_turns,
            hooks=times,
            run_config=_run_config(turn, assistant.run_config(turn), assistant.max_tool_output),
        )
    images = GeneratedImages(services.attachments, turn.thread.id, turn.request_context)
    # A run that goes on still lists the calls that `remember` got when it began to wait.
    elsewhere = {
        each.call_id
        for each in result.new_items
        if each.type == "tool_call_output_item" and each.call_id
    }
    refused = False  # nothing of a refused run may reach a model again
    told = cast(RunResultStreaming, Speakers(result, turn, assistant))
    try:
        async for event in stream_agent_response(turn, told, converter=images):
            if isinstance(event, ThreadItemDoneEvent) and isinstance(
                event.item, ClientToolCallItem
            ):
                elsewhere.add(event.item.call_id)  # ChatKit keeps this call, and what it returns
            yield event
        if result.interruptions:
            turn.waits = True
            async for event in approvals.ask(result):
                yield event
    except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered) as error:
        name = error.guardrail_result.guardrail.get_name()
        before = isinstance(error, InputGuardrailTripwireTriggered)
        refused = True
        raise turn.guards.tripped(name, "input" if before else "output") from None
    except (ToolInputGuardrailTripwireTriggered, ToolOutputGuardrailTripwireTriggered) as error:
        refused = True
        raise turn.guards.tripped(error.guardrail.get_name(), "tools") from None
    except Exception:
        times.fail_rest()
        raise
    finally:
        await _end(result, turn)
        turn.usage.add(result.context_wrapper.usage)
        if not refused:
            turn.memory.remember(calls_of(result.new_items, without=elsewhere), agent.model)


async def _chosen(assistant: Assistant, turn: "ServedTurn") -> Agent[Any]:
    """The assistant's agent for this turn. `agent_for` may be a coroutine."""
    chosen = assistant.agent_for(turn)
    return await chosen if inspect.isawaitable(chosen) else chosen


def _run_config(turn: "ServedTurn", given: RunConfig, max_tool_output: int) -> RunConfig:
    tools = given.tool_execution or ToolExecutionConfig()
    at_once = tools.max_function_tool_concurrency or MAX_TOOLS_AT_ONCE
    standard = type(given.model_provider) is MultiProvider
    return replace(
        given,
        model_provider=turn.models if standard else given.model_provider,
        # Lambda freezes the background thread that exports traces.
        tracing_disabled=True,
        # The model gets to know its mistakes, and may correct them.
        tool_not_found_behavior="return_error_to_model",
        tool_execution=replace(tools, max_function_tool_concurrency=at_once),
        call_model_input_filter=_as_sent(turn, given.call_model_input_filter, max_tool_output),
    )


def _as_sent(
    turn: "ServedTurn", first: CallModelInputFilter | None, max_tool_output: int
) -> Callable[[CallModelData[Any]], Awaitable[ModelInputData]]:
    """What a model gets in each turn of its run: after the filter of the assistant, if any."""

    async def filtered(data: CallModelData[Any]) -> ModelInputData:
        sent = data.model_data if first is None else first(data)
        if inspect.isawaitable(sent):
            sent = await sent
        bounded = with_bounded_outputs(with_json_arguments(sent.input), max_tool_output)
        marked = with_marked_outputs(await turn.guards.with_safe_outputs(bounded))
        return ModelInputData(marked, sent.instructions)

    return filtered


async def _end(result: RunResultStreaming, turn: "ServedTurn") -> None:
    """Cancel the agent's run, which closes the connection to the model, and end its tasks."""
    result.cancel()
    # The SDK's task that reads the tools' events waits for one more before it ends.
    await turn.stream(ProgressUpdateEvent(text=""))
    if result.run_loop_task is not None:
        with contextlib.suppress(BaseException):
            await result.run_loop_task
