"""What an answer took, for the log: the stack's alarms and its dashboard read these numbers there.

Numbers only, under names of their own (`extra` becomes fields of the JSON line): the metric
filters in `infra/alarms.py` look for exactly these.
"""

import logging
import time

from agents import Usage
from chatkit.types import ThreadItemUpdatedEvent, ThreadStreamEvent

logger = logging.getLogger(__name__)


class Meter:
    """Runs from the moment it is made."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._first: int | None = None

    def see(self, event: ThreadStreamEvent) -> None:
        """Note when the first piece of the answer went out."""
        if self._first is None and isinstance(event, ThreadItemUpdatedEvent):
            self._first = round((time.monotonic() - self._begun) * 1000)

    def report(self, usage: Usage) -> None:
        numbers = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        if self._first is not None:
            numbers["first_token_ms"] = self._first
        logger.info("answered: %s", numbers, extra=numbers)
