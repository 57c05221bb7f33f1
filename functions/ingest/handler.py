"""The Lambda handler of the ingest function: a batch of an SQS queue.

A message's body is a notification of S3 for objects under `knowledge/`, or our own
`{"key": "knowledge/…"}`, with `"force": true` to ingest an object that has not changed.

The answer has the messages that SQS has to deliver again (`ReportBatchItemFailures`):
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import Any

Event = dict[str, Any]


def handler(event: Event, context: Any) -> Event:
    """`{"batchItemFailures": [{"itemIdentifier": <message id>}, …]}`."""
    raise NotImplementedError
