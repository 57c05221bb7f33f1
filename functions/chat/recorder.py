"""Records what one run does, for its log line and for the table."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chatkit.types import (
    StreamingReq,
    ThreadItemUpdatedEvent,
    ThreadsCustomActionReq,
    ThreadStreamEvent,
)

from ..aws.keys import digest, owner
from ..context import RequestContext
from ..errors import PublicError
from ..limits.answer_use import AnswerUse
from ..llm.choice import ModelChoice
from ..run_log import log_run
from ..run_record import Outcome, RunRecord, ToolCall
from ..spans import Span
from ..store import Run
from ..store.keys import stamp
from .answer import Stop

if TYPE_CHECKING:
    from .turn import ServedTurn


class Recorder:
    """Records one run. The time starts when the recorder is made."""

    def __init__(
        self,
        request: StreamingReq,
        run: Run,
        context: RequestContext,
        *,
        models: ModelChoice,
        model: str,
        cold_start: bool,
    ) -> None:
        """`model` is the id of the model that was asked for."""
        self.error: Exception | None = None
        self.unsupported = False
        self._message: str | None = None
        self._waits = False
        self._search_ms: list[int] = []
        self._tools: list[ToolCall] = []
        self._guardrails: list[str] = []
        self._request = request
        self._run = run
        self._owner = digest(owner(context))
        self._models = models
        self._model = model
        self._cold_start = cold_start
        self._started = time.monotonic()
        self._first_token_ms: int | None = None

    @property
    def run_id(self) -> str:
        return self._run.id

    def observe(self, event: ThreadStreamEvent) -> None:
        """Record the time of the first token."""
        if self._first_token_ms is None and isinstance(event, ThreadItemUpdatedEvent):
            self._first_token_ms = self._elapsed_ms()

    def note(self, turn: "ServedTurn") -> None:
        """Take from the turn what its answer was."""
        self._message = turn.message.id if turn.message else None
        self._waits = turn.waits or turn.client_tool_call is not None
        self._search_ms = turn.knowledge.times if turn.knowledge is not None else []
        self._tools = turn.tool_calls
        self._guardrails = turn.guards.tripped_by
        self._model = turn.models.name

    def end(self, stop: Stop, use: AnswerUse) -> RunRecord:
        """The record of the run, which is logged."""
        used, model = use.used, use.fallback or self._model
        record = RunRecord(
            run_id=self._run.id,
            at=stamp(datetime.now(UTC)),
            request=self._request.type,
            owner=self._owner,
            thread_id=self._run.thread_id,
            message_id=self._message,
            action=_action(self._request),
            provider=self._models.model(model).provider,
            model=model,
            outcome=self._outcome(stop),
            stop=stop.reason,
            error=None if self.error is None else type(self.error).__name__,
            cold_start=self._cold_start,
            first_token_ms=self._first_token_ms,
            duration_ms=self._elapsed_ms(),
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            cached_tokens=use.cached_tokens,
            microdollars=used.microdollars,
            tools=self._tools,
            searches=len(self._search_ms),
            search_ms=self._search_ms,
            unsupported=self.unsupported,
            guardrails=self._guardrails,
        )
        refused = isinstance(self.error, PublicError)
        log_run(record, faulty=record.outcome == "failed" and not refused)
        return record

    def _outcome(self, stop: Stop) -> Outcome:
        if stop.reason is not None:
            return "stopped"
        if self.error is not None:
            return "failed"
        return "waiting" if self._waits else "completed"

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


def describe(trace: Span, record: RunRecord) -> None:
    """Give the first span of a run's trace what people look for it by."""
    trace.error = record.error
    trace.attributes |= {
        "chatkit.run_id": record.run_id,
        "chatkit.outcome": record.outcome,
        "chatkit.cold_start": record.cold_start,
        "gen_ai.request.model": record.model,
        "gen_ai.usage.input_tokens": record.input_tokens,
        "gen_ai.usage.output_tokens": record.output_tokens,
    }


def _action(request: StreamingReq) -> str | None:
    return request.params.action.type if isinstance(request, ThreadsCustomActionReq) else None
