"""What Lambda says of one invocation."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

_NO_DEADLINE_MS = 900_000  # Lambda's longest timeout, for a Runtime API that names no deadline


@dataclass(frozen=True, slots=True)
class Context:
    """`scope["aws.context"]`: the key and the attribute names are those of Mangum
    and of Lambda's own Python client, so that code meets the same object
    under either. `deadline`, `trace_id` and `invocation_id` are additions.
    """

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    """When Lambda kills the function: milliseconds of the Unix epoch."""
    deadline: float
    """The same moment in seconds of `time.monotonic()`, which is the event loop's clock."""
    trace_id: str | None = None
    """X-Ray: `Root=…;Parent=…;Sampled=…`, also in the environment as `_X_AMZN_TRACE_ID`."""
    invocation_id: str | None = None
    """To be echoed to the Runtime API where it was given."""
    function_name: str = ""
    function_version: str = ""
    memory_limit_in_mb: str = ""
    log_group_name: str = ""
    log_stream_name: str = ""

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "Context":
        """Read from the headers of `/next`, their names in lower case.

        Raises `ValueError` when the request id is missing or the deadline is no number.
        """
        request_id = headers.get("lambda-runtime-aws-request-id", "")
        if not request_id:
            raise ValueError("/next gave no Lambda-Runtime-Aws-Request-Id")
        now_ms = time.time() * 1000
        deadline_ms = int(headers.get("lambda-runtime-deadline-ms") or now_ms + _NO_DEADLINE_MS)
        return cls(
            aws_request_id=request_id,
            invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            deadline_ms=deadline_ms,
            deadline=time.monotonic() + (deadline_ms - now_ms) / 1000,
            trace_id=headers.get("lambda-runtime-trace-id"),
            invocation_id=headers.get("lambda-runtime-invocation-id"),
            function_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            function_version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            memory_limit_in_mb=os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""),
            log_group_name=os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream_name=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        )

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))
