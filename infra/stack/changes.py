"""The function that tells what has changed in the table, and its place at the table's stream.

It is no part of the events function: what goes wrong with a total or an event must not hold up the
purge of what people have deleted.
"""

from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.store.schema import CHANGE_FILTERS
from infra.stack.events import read_stream
from infra.stack.function import ServiceFunction

MEMORY = 512
"""MB. Nobody waits for the function, so it needs no whole CPU."""

TIMEOUT = 60
"""Seconds for one batch of 10 records, each of which is a request or two."""


@dataclass(frozen=True)
class Changed:
    """The function, and the records that it gave up."""

    function: ServiceFunction
    dead_letters: sqs.Queue


def changes(scope: Construct, *, stage: str, table: dynamodb.ITable, **function: Any) -> Changed:
    """Make the function, without its rights to rows. `function` is as for `ServiceFunction`."""
    made = ServiceFunction(
        scope,
        "Changes",
        description=f"ChatKit {stage}: counts and tells what has changed",
        handler="functions.changes.handler.handler",
        memory=MEMORY,
        timeout=TIMEOUT,
        concurrency=0,  # a shard of the stream has one invocation at a time, and there are few
        layers=[],
        snap_start=False,
        **function,
    )
    return Changed(made, read_stream(made, table=table, filters=CHANGE_FILTERS).dead_letters)
