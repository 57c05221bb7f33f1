"""Numbers of log lines that CloudWatch keeps as metrics, by its embedded metric format.

A line whose root has `_aws` tells CloudWatch which of its fields are metrics. Lambda's JSON log
format keeps the `extra` fields of a log call at the root of the line, in AWS's own Python client
as in `functions.lambda_stream.logs`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

NAMESPACE_VARIABLE: Final = "CHATKIT_METRICS_NAMESPACE"
"""The stack sets it. Without it there are no metrics, as in `make dev`."""

UNITS: Final = {
    "first_token_ms": "Milliseconds",
    "search_ms": "Milliseconds",
    "input_tokens": "Count",
    "output_tokens": "Count",
    "dollars": "None",
    "guardrail_trips": "Count",
    "failed_runs": "Count",
    "cold_starts": "Count",
    "budget_refusals": "Count",
    "swept_rows": "Count",
    "swept_objects": "Count",
}
"""Every metric that is written. AWS bills each of them, and each combination of dimensions as one
more. So they have none."""

MAX_VALUES: Final = 100
"""The most values of one metric in a line."""

Number = float | Sequence[float] | None


def as_metrics(values: Mapping[str, Number]) -> dict[str, Any]:
    """`values` as `extra` of a log call, with what makes metrics of them.

    A metric of several values is a list. What is None or empty is left out.
    """
    known = {
        name: value[:MAX_VALUES] if isinstance(value, Sequence) else value
        for name, value in values.items()
        if value is not None and value != []
    }
    namespace = os.environ.get(NAMESPACE_VARIABLE)
    if not namespace or not known:
        return known
    directive = {
        "Namespace": namespace,
        "Dimensions": [[]],
        "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in known],
    }
    now = round(time.time() * 1000)
    return {**known, "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}}
