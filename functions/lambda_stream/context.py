"""The context that Lambda gives for one invocation."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_MAX_MS = 900_000  # Lambda's longest timeout, used when there is no deadline


@dataclass(frozen=True, slots=True)
class Context:
    """Values of the headers of `/next`. Apps get them as `scope["extensions"]["aws.lambda"]`."""

    request_id: str
    function_arn: str
    deadline_ms: int
    """When Lambda kills the function, in milliseconds since the Unix epoch."""
    deadline: float
    """The same time in seconds of `time.monotonic()`, which is the event loop's clock."""
    trace_id: str | None
    """X-Ray: `Root=…;Parent=…;Sampled=…`, also in the environment as `_X_AMZN_TRACE_ID`."""
    invocation_id: str | None
    """Sent back to the Runtime API if it was given."""

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "Context":
        """`headers` with names in lower case.

        Raises `ValueError` when the request id is missing or the deadline is not a number.
        """
        request_id = headers.get("lambda-runtime-aws-request-id", "")
        if not request_id:
            raise ValueError("/next gave no Lambda-Runtime-Aws-Request-Id")
        now_ms = time.time() * 1000
        deadline_ms = int(headers.get("lambda-runtime-deadline-ms") or now_ms + _MAX_MS)
        return cls(
            request_id=request_id,
            function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            deadline_ms=deadline_ms,
            deadline=time.monotonic() + (deadline_ms - now_ms) / 1000,
            trace_id=headers.get("lambda-runtime-trace-id"),
            invocation_id=headers.get("lambda-runtime-invocation-id"),
        )

    def extension(self) -> dict[str, Any]:
        return asdict(self)
