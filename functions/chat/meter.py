"""Logs the tokens of an answer, the time to its first token and how often guardrails tripped.

The metric filters of the stack's alarms and dashboard read these numbers from the JSON log line by
the names of its fields, which come from `extra`. The line has numbers only.
"""

import logging
import time

from agents import Usage
from chatkit.types import ThreadItemUpdatedEvent, ThreadStreamEvent

logger = logging.getLogger(__name__)


class Meter:
    """Measures one answer. The time starts when the meter is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._first_token_ms: int | None = None

    def observe(self, event: ThreadStreamEvent) -> None:
        """Record the time of the first token."""
        if self._first_token_ms is None and isinstance(event, ThreadItemUpdatedEvent):
            self._first_token_ms = round((time.monotonic() - self._started) * 1000)

    def report(self, usage: Usage, guardrail_trips: int) -> None:
        numbers = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "guardrail_trips": guardrail_trips,
        }
        if self._first_token_ms is not None:
            numbers["first_token_ms"] = self._first_token_ms
        logger.info("answered: %s", numbers, extra=numbers)
