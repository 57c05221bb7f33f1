"""The function that sweeps, and what starts it.

It is a function of its own. It may read the keys of all rows and list the whole bucket, which the
functions that handle what people send should not be able to; and it works for minutes at a time,
for which the events function would have to be given another timeout.
"""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from infra.stack.function import ServiceFunction

MEMORY = 512
"""MB. A million objects need 30 MB more than an event does."""

TIMEOUT = 900
"""Seconds, the most that Lambda allows. What does not fit is done an hour later."""


def start_hourly(function: ServiceFunction) -> None:
    """Invoke the function every hour: it begins a sweep once a week, and goes on with one that has
    not finished. An hour is longer than the lease of an invocation that was killed.
    """
    events.Rule(
        function,
        "Hourly",
        description="Goes on with the weekly sweep",
        schedule=events.Schedule.rate(Duration.hours(1)),
        targets=[targets.LambdaFunction(function.alias)],
    )
