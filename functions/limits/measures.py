"""What is measured, in which windows, and what people read when a limit is reached."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from ..errors import PublicError
from ..limit_table import ScopeLimits
from ..store.counters import window_end
from ..store.expiry import DAY

ScopeName = Literal["person", "tenant", "network", "stage"]

MICRO: Final = 1_000_000
"""Dollars are counted in millionths, because a counter is a whole number."""

BUSY_SECONDS: Final = 5
"""`Retry-After` where the limit is no window: an answer may end at any time."""


@dataclass(frozen=True)
class Use:
    """What a request uses."""

    messages: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    microdollars: int = 0
    answers: int = 0
    upload_bytes: int = 0
    requests: int = 0

    def __add__(self, other: "Use") -> "Use":
        return self._with(other, 1)

    def __sub__(self, other: "Use") -> "Use":
        return self._with(other, -1)

    def positive(self) -> "Use":
        """The same, with zero in place of what is negative."""
        return Use(**{each.name: max(0, getattr(self, each.name)) for each in fields(self)})

    def _with(self, other: "Use", sign: int) -> "Use":
        return Use(
            **{
                each.name: getattr(self, each.name) + sign * getattr(other, each.name)
                for each in fields(self)
            }
        )


@dataclass(frozen=True)
class Measure:
    """One limit of `ScopeLimits`: a field of `Use`, counted in windows of so many seconds.

    With 0 seconds it is what is in use now.
    """

    name: str
    of: str
    seconds: int
    noun: str
    """What people call it."""

    def end(self, now: float) -> int:
        return window_end(self.seconds, now)

    @property
    def is_daily(self) -> bool:
        return self.seconds == DAY

    @property
    def may_shrink(self) -> bool:
        """Whether less is used of it, as a rule, than is reserved."""
        return self.of in {"input_tokens", "output_tokens", "microdollars"}


MEASURES: Final = {
    measure.name: measure
    for measure in (
        Measure("messages_per_minute", "messages", 60, "messages"),
        Measure("messages_per_day", "messages", DAY, "messages"),
        Measure("input_tokens_per_day", "input_tokens", DAY, "answers"),
        Measure("output_tokens_per_day", "output_tokens", DAY, "answers"),
        Measure("answers_at_once", "answers", 0, "answers"),
        Measure("upload_bytes_per_day", "upload_bytes", DAY, "files"),
        Measure("requests_per_minute", "requests", 60, "requests"),
        Measure("dollars_per_day", "microdollars", DAY, "answers"),
    )
}
"""All limits, by their names in `ScopeLimits`."""


Why = Literal["used", "held", "newcomers", "too large"]
"""Whether a limit is used up, or only held for answers that are being written, or whether those who
are new have used their share of it, or whether a request alone is more than the whole limit."""


class OverLimit(PublicError):  # noqa: N818 - what happened, as callers name it
    """A limit is reached (status 429; 413 for what can never pass). `Retry-After` says when to try
    again, in whole seconds.
    """

    def __init__(self, scope: ScopeName, measure: Measure, end: int, why: Why = "used") -> None:
        """`end` is the end of the window in Unix seconds, 0 where there is none."""
        wait = max(1, int(end - time.time()) + 1) if end and why != "held" else BUSY_SECONDS
        if why == "too large":
            super().__init__(413, "This is more than may be used here in a whole day.")
        else:
            super().__init__(429, _message(scope, measure, why), {"retry-after": str(wait)})
        self.scope = scope
        self.measure = measure
        self.why = why


def limits_of(table: ScopeLimits, factors: Mapping[str, float]) -> dict[str, int]:
    """The limits that are set, as whole numbers, each times the factor of its measure."""
    found = {}
    for name, limit in table:
        if limit is None:
            continue
        unit = MICRO if name == "dollars_per_day" else 1
        # A thousandth more, because 0.7 times 10 may be a little less than 7.
        found[name] = max(1, int(limit * unit * factors.get(name, 1) + 0.001))
    return found


def _message(scope: ScopeName, measure: Measure, why: Why) -> str:
    if why == "held":
        return "Other answers are being written and may use up your limit. Please try again soon."
    if why == "newcomers":
        return "New visitors have used up their share for today. Please come back tomorrow."
    match measure.name:
        case "answers_at_once" if scope == "person":
            return "Other answers are still being written for you. Please wait for one of them."
        case "answers_at_once":
            return "Many answers are being written right now. Please try again in a moment."
        case "requests_per_minute":
            return "That was a lot in a short time. Please wait a moment."
        case "messages_per_minute":
            return f"{_WHO[scope]} sent many messages in a short time. Please wait a moment."
        case "dollars_per_day" if scope == "stage":
            return (
                "This chat has used up its budget for today. Your conversations are still here. "
                "Please come back tomorrow."
            )
    return (
        f"{_WHOSE[scope]} limit of {measure.noun} for today is reached. Please come back tomorrow."
    )


_WHO: Final[dict[ScopeName, str]] = {
    "person": "You have",
    "tenant": "The people of your organisation have",
    "network": "The people on your network have",
    "stage": "The people here have",
}
_WHOSE: Final[dict[ScopeName, str]] = {
    "person": "Your",
    "tenant": "Your organisation's",
    "network": "Your network's",
    "stage": "The",
}
