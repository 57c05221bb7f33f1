"""Tells the page when another agent of a run begins to speak."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from agents import Agent, AgentUpdatedStreamEvent, RunResultStreaming, StreamEvent
from chatkit.types import ThreadItemDoneEvent

from ..toolkit import Assistant
from ..toolkit.speaker import speaker_line, speaker_of

if TYPE_CHECKING:
    from .turn import ServedTurn


class Speakers:
    """The events of a run, for `stream_agent_response`, which reads nothing else of the run.

    The run names its first agent, and each one that takes over. It waits until that event is read,
    so the line about a change is streamed before what the new agent says.
    """

    def __init__(
        self, result: RunResultStreaming, turn: "ServedTurn", assistant: Assistant
    ) -> None:
        self._result = result
        self._turn = turn
        self._assistant = assistant
        self._begun = False

    async def stream_events(self) -> AsyncIterator[StreamEvent]:
        async for event in self._result.stream_events():
            if isinstance(event, AgentUpdatedStreamEvent):
                await self._name(event.new_agent)
            yield event

    async def _name(self, agent: Agent[Any]) -> None:
        """Name the agent when another one spoke before, in this run or in the conversation."""
        begun, self._begun = self._begun, True
        before = speaker_of(await self._turn.history())
        text = self._assistant.speaker(self._turn, agent)
        if text and text != before and (begun or before):
            await self._turn.stream(ThreadItemDoneEvent(item=speaker_line(self._turn, text)))
