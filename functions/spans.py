"""Spans of OpenTelemetry: what a run has done, and how long each part took.

Nothing is recorded unless a trace has begun (`functions.otlp`). A span has names and numbers, and
no words of people. https://opentelemetry.io/docs/specs/otel/trace/api/#span
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["server", "internal", "client"]
Value = str | int | bool

MAX_SPANS: Final = 1_000
"""The most spans of a trace; further ones are left out."""


@dataclass
class Span:
    """One span. Times are in nanoseconds since the Unix epoch."""

    name: str
    kind: Kind
    trace: "Trace"
    parent: str | None
    attributes: dict[str, Value]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    start: int = field(default_factory=time.time_ns)
    end: int = 0
    error: str | None = None
    """The name of an exception's class."""

    def finish(self, error: BaseException | None = None) -> None:
        """End the span, once."""
        if not self.end:
            self.end = time.time_ns()
            if error is not None:
                self.error = type(error).__name__


@dataclass
class Trace:
    """The spans of one run. `id` has 32 hexadecimal digits."""

    id: str
    spans: list[Span] = field(default_factory=list)

    def add(
        self,
        name: str,
        kind: Kind,
        parent: str | None = None,
        attributes: Mapping[str, Value] | None = None,
    ) -> Span:
        span = Span(name, kind, self, parent, dict(attributes or {}))
        if len(self.spans) < MAX_SPANS:
            self.spans.append(span)
        return span


_current: ContextVar[Span | None] = ContextVar("span", default=None)


def begin(name: str, trace_id: str | None = None) -> Span:
    """Begin a trace with its first span, to which belongs whatever this request does from here on.

    The id of the trace is a new one unless one is given.
    """
    span = Trace(trace_id or secrets.token_hex(16)).add(name, "server")
    _current.set(span)
    return span


def begin_part(
    name: str, kind: Kind = "client", attributes: Mapping[str, Value] | None = None
) -> Span | None:
    """Begin a span that holds no others; `None` where no trace is recorded."""
    parent = _current.get()
    if parent is None:
        return None
    return parent.trace.add(name, kind, parent.id, attributes)


@contextmanager
def span(
    name: str, kind: Kind = "internal", attributes: Mapping[str, Value] | None = None
) -> Iterator[Span | None]:
    """A span of the block, which holds those of its calls. Not around a `yield` of a generator."""
    part = begin_part(name, kind, attributes)
    if part is None:
        yield None
        return
    before = _current.set(part)
    try:
        yield part
    except BaseException as error:
        part.finish(error)
        raise
    finally:
        _current.reset(before)
        part.finish()
