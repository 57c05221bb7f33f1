"""Checks one answer by the assistant's guardrails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, Final

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ProgressUpdateEvent,
    StructuredInputItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    UserMessageItem,
)

from .. import aws
from ..attachments import S3AttachmentStore
from ..attachments.content import show
from ..marks import data_in
from ..toolkit.guardrails import BLOCKED, UNCHECKED, Guardrail, GuardrailTripped, Side

if TYPE_CHECKING:
    from .turn import ServedTurn

logger = logging.getLogger(__name__)

WITHHELD: Final = "[What the tool returned is withheld: a guardrail does not let it pass.]"


class Guards:
    """The guardrails of one answer, and what it has said so far."""

    def __init__(
        self, turn: "ServedTurn", guardrails: Iterable[Guardrail], files: S3AttachmentStore
    ) -> None:
        self._turn = turn
        self._files = files
        self._guardrails = tuple(guardrails)
        self.tripped_by: list[str] = []
        """The names of the guardrails that have tripped, for the run's record."""
        self._unchecked: ThreadItem | None = None
        """What the visitor has written, until its check is done."""
        self._said: dict[str, str] = {}
        self._outputs: dict[str, bool] = {}

    async def within(
        self, events: AsyncIterator[ThreadStreamEvent], asked: ThreadItem | None
    ) -> AsyncIterator[ThreadStreamEvent]:
        """The events of an answer to `asked`. Raises `GuardrailTripped`.

        After an approval, the visitor's message is not checked again.
        """
        self._unchecked = asked = None if self._turn.goes_on else asked
        await self._check_asked(asked, self._of("input", blocking=True))
        beside = asyncio.create_task(self._check_asked(asked, self._of("input", blocking=False)))
        beside.add_done_callback(self._end_input)
        held: list[ThreadStreamEvent] | None = [] if self._of("output", blocking=True) else None
        try:
            async for event in events:
                self._note(event)
                if held is None or isinstance(event, ProgressUpdateEvent):
                    yield event
                else:
                    held.append(event)
            await beside
            await self.check_output()
        except GuardrailTripped:
            raise
        except Exception:
            # What there is of the answer is kept, so it is checked.
            await aws.together(self.check_output(), beside)
            for event in held or []:
                yield event
            raise
        finally:
            beside.cancel()
        for event in held or []:
            yield event

    async def check_stopped(self) -> None:
        """Check what a stopped answer leaves in the conversation. Raises `GuardrailTripped`.

        The visitor may have stopped it before their message was checked.
        """
        asked = self._check_asked(self._unchecked, self._of("input"))
        await aws.together(asked, self.check_output())

    async def check_output(self) -> None:
        """Check what the answer has said so far. Raises `GuardrailTripped`."""
        said = "\n\n".join(text for text in self._said.values() if text.strip())
        await self._check(said, "output", self._of("output"))

    async def with_safe_outputs(self, items: list[Any]) -> list[Any]:
        """A model's input, with notes in place of outputs of tools that must not pass.

        An output is checked once in a turn, at the same time as the others: a conversation may have
        many, and the model waits.
        """
        guardrails = self._of("tools")
        if not guardrails:
            return items
        new = {_returned(item) for item in items} - self._outputs.keys()
        await aws.together(*(self._check_returned(text, guardrails) for text in new))
        return [
            item if self._outputs[_returned(item)] else {**item, "output": WITHHELD}
            for item in items
        ]

    async def _check_returned(self, text: str, guardrails: list[Guardrail]) -> None:
        try:
            await self._check(text, "tools", guardrails)
            self._outputs[text] = True
        except GuardrailTripped:
            self._outputs[text] = False

    def tripped(
        self, name: str, side: Side, message: str = BLOCKED, *, failed: bool = False
    ) -> GuardrailTripped:
        """The error of a guardrail that has tripped. It is counted, and logged without any text."""
        self.tripped_by.append(name)
        why = ", because it failed" if failed else ""
        logger.warning("the guardrail %s stopped %s%s", name, side, why)
        return GuardrailTripped(name, message, failed=failed)

    def _of(self, side: Side, *, blocking: bool | None = None) -> list[Guardrail]:
        return [
            each
            for each in self._guardrails
            if side in each.on and blocking in {None, each.blocking}
        ]

    def _end_input(self, check: "asyncio.Task[None]") -> None:
        if check.cancelled():
            return
        if (error := check.exception()) is None:
            self._unchecked = None
        else:
            self._turn.interrupt(error)

    def _note(self, event: ThreadStreamEvent) -> None:
        match event:
            case ThreadItemUpdatedEvent(update=AssistantMessageContentPartTextDelta(delta=delta)):
                self._said[event.item_id] = self._said.get(event.item_id, "") + delta
            case (
                ThreadItemAddedEvent(item=AssistantMessageItem() as item)
                | ThreadItemDoneEvent(item=AssistantMessageItem() as item)
                | ThreadItemReplacedEvent(item=AssistantMessageItem() as item)
            ):
                self._said[item.id] = "\n\n".join(part.text for part in item.content)

    async def _check_asked(self, asked: ThreadItem | None, guardrails: list[Guardrail]) -> None:
        if guardrails:
            await self._check(await self._text_of(asked), "input", guardrails)

    async def _text_of(self, asked: ThreadItem | None) -> str:
        """What the visitor has written, with the text of their files."""
        texts: list[str] = []
        match asked:
            case UserMessageItem():
                texts = [asked.quoted_text or "", *(part.text for part in asked.content)]
                context = self._turn.request_context
                shown = await show(asked.attachments, self._files, context)
                for part in shown.values():
                    if part["type"] == "input_text":
                        _, _, words = part["text"].partition("\n")
                        texts.append(data_in(words) or words)
            case StructuredInputItem():
                answers = [question.answer for question in asked.inputs]
                texts = [value for each in answers if each for value in each.values]
        return "\n\n".join(filter(None, texts))

    async def _check(self, text: str, side: Side, guardrails: list[Guardrail]) -> None:
        """Ask all guardrails at once. Raises the first `GuardrailTripped`."""
        if not text.strip() or not guardrails:
            return
        checks = [asyncio.create_task(self._ask(each, text, side)) for each in guardrails]
        try:
            for check in asyncio.as_completed(checks):
                await check
        finally:
            for each in checks:
                each.cancel()
            await asyncio.gather(*checks, return_exceptions=True)

    async def _ask(self, guardrail: Guardrail, text: str, side: Side) -> None:
        try:
            async with asyncio.timeout(guardrail.timeout):
                trips = await guardrail.trips(self._turn, text, side)
        except Exception:
            logger.exception("the guardrail %s failed on %s", guardrail.name, side)
            if guardrail.fail_open:
                return
            raise self.tripped(guardrail.name, side, UNCHECKED, failed=True) from None
        if trips:
            raise self.tripped(guardrail.name, side, guardrail.message)


def _returned(item: Any) -> str:
    """The text that a tool returned; empty for other items."""
    if item.get("type") != "function_call_output":
        return ""
    output = item["output"]
    parts = [output] if isinstance(output, str) else [part.get("text") or "" for part in output]
    return "\n\n".join(parts)
