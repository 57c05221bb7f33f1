"""Runs an agent of the Agents SDK, and yields its answer as ChatKit's events."""

import contextlib
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from agents import Agent, MultiProvider, RunConfig, Runner, RunResultStreaming
from agents.run import CallModelData, CallModelInputFilter, ModelInputData
from chatkit.agents import stream_agent_response
from chatkit.server import agents_sdk_user_agent_override
from chatkit.types import ProgressUpdateEvent, ThreadStreamEvent

from ..llm.model_input import with_json_arguments, with_marked_outputs
from ..services import Services
from .generated_images import GeneratedImages
from .speakers import Speakers

if TYPE_CHECKING:
    from .turn import ServedTurn


async def run(
    turn: "ServedTurn", agent: Agent[Any] | None, services: Services
) -> AsyncGenerator[ThreadStreamEvent]:
    """The events of `agent`, or of the assistant's agent for this turn.

    When the iterator ends early, so does the run, and the model makes no more tokens.
    """
    assistant = services.assistant
    if agent is None:
        chosen = assistant.agent_for(turn)
        agent = await chosen if inspect.isawaitable(chosen) else chosen
    model_input = await turn.model_input()
    with agents_sdk_user_agent_override():
        result = Runner.run_streamed(
            agent,
            model_input,
            context=turn,
            max_turns=assistant.max_turns,
            hooks=assistant.hooks(turn),
            run_config=_run_config(turn, assistant.run_config(turn)),
        )
    images = GeneratedImages(services.attachments, turn.thread.id, turn.request_context)
    told = cast(RunResultStreaming, Speakers(result, turn, assistant))
    try:
        async for event in stream_agent_response(turn, told, converter=images):
            yield event
    finally:
        await _end(result, turn)
        turn.usage.add(result.context_wrapper.usage)


def _run_config(turn: "ServedTurn", given: RunConfig) -> RunConfig:
    standard = type(given.model_provider) is MultiProvider
    return replace(
        given,
        model_provider=turn.models if standard else given.model_provider,
        # Lambda freezes the background thread that exports traces.
        tracing_disabled=True,
        # The model gets to know its mistakes, and may correct them.
        tool_not_found_behavior="return_error_to_model",
        call_model_input_filter=_as_sent(given.call_model_input_filter),
    )


def _as_sent(
    first: CallModelInputFilter | None,
) -> Callable[[CallModelData[Any]], Awaitable[ModelInputData]]:
    """What a model gets in each turn of its run: after the filter of the assistant, if any."""

    async def filtered(data: CallModelData[Any]) -> ModelInputData:
        sent = data.model_data if first is None else first(data)
        if inspect.isawaitable(sent):
            sent = await sent
        marked = with_marked_outputs(with_json_arguments(sent.input))
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
