"""The log line of a run, which has everything about it."""

import logging
import os

from .metrics import Number, as_metrics
from .run_record import RunRecord

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)  # at every level of the rest of the log: alarms read these lines

MICRO = 1_000_000


def log_run(record: RunRecord, *, faulty: bool) -> None:
    """Write the line: the fields of the record are its fields, and some numbers are metrics.

    `faulty` says that the run has failed by a fault, and not because it was refused.
    """
    metrics: dict[str, Number] = {}
    if record.model:
        metrics = {
            "first_token_ms": record.first_token_ms,
            "search_ms": record.search_ms,
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "dollars": record.microdollars / MICRO,
            "guardrail_trips": len(record.guardrails),
            "failed_runs": int(faulty),
            "cold_starts": int(record.cold_start),
        }
    fields = record.model_dump(exclude_none=True) | as_metrics(metrics)
    if trace := _trace_id():
        fields["trace_id"] = trace
    logger.info("%s", in_short(record), extra=fields)


def in_short(record: RunRecord) -> str:
    """The record as one line for people."""
    asked = f" {record.action}" if record.action else f" {record.model}"
    took = f", {record.duration_ms} ms"
    error = f" ({record.error or record.stop})" if record.error or record.stop else ""
    return f"run {record.run_id} {record.outcome}{error}:{asked}{took}"


def _trace_id() -> str | None:
    """The id of X-Ray's trace, which Lambda's runtimes give as `Root=…;Parent=…;Sampled=…`."""
    parts = os.environ.get("_X_AMZN_TRACE_ID", "").split(";")
    return next((part.removeprefix("Root=") for part in parts if part.startswith("Root=")), None)
