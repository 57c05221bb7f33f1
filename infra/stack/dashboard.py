"""The dashboard: use, errors, speed and cost."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.stack.alarms import Alarms
from infra.stack.function import ServiceFunction
from infra.stack.knowledge import Reading

WIDTH = 8


class Dashboard(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        chat: ServiceFunction,
        actions_function: ServiceFunction,
        events: ServiceFunction,
        changes: ServiceFunction,
        alarms: Alarms,
        reading: Reading | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        ours = (chat.alias, actions_function.alias, events.alias, changes.alias)
        refused: list[cloudwatch.IMetric] = (
            [] if alarms.over_budget is None else [alarms.over_budget]
        )
        searched = (
            [] if reading is None or alarms.search is None else [_knowledge(reading, alarms.search)]
        )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=Duration.days(1),
            widgets=[
                [
                    _graph("Requests", [f.metric_invocations() for f in ours]),
                    _graph("Errors", [f.metric_errors() for f in ours]),
                    _graph("Throttles", [f.metric_throttles() for f in ours]),
                ],
                [
                    _graph("First token, p90 (ms)", [alarms.first_token]),
                    _graph("Duration, p99", [f.metric_duration(statistic="p99") for f in ours]),
                    _graph("Throttled rows", [alarms.throttled_rows]),
                ],
                [
                    _graph("Tokens a day", [alarms.input_tokens, alarms.output_tokens]),
                    _graph("Dollars a day", [alarms.spend]),
                    _graph("Age of changes (ms)", [alarms.events_age, alarms.changes_age]),
                ],
                [
                    _graph("Trips of guardrails a day", [alarms.guardrail_trips]),
                    _graph("Share of answers that fail", [alarms.failed_runs]),
                    _graph("Share of cold starts", [alarms.cold_starts]),
                ],
                [
                    _graph("Left behind, and swept", [*alarms.swept]),
                    *(_graph("Answers over the budget", [metric]) for metric in refused),
                ],
                *searched,
            ],
        )


def _knowledge(reading: Reading, search: cloudwatch.Metric) -> list[cloudwatch.IWidget]:
    read: list[cloudwatch.IMetric] = [
        reading.ingest.alias.metric_invocations(),
        reading.ingest.alias.metric_errors(),
    ]
    waiting: list[cloudwatch.IMetric] = [
        reading.waiting.metric_approximate_number_of_messages_visible(),
        reading.dead_letters.metric_approximate_number_of_messages_visible(),
    ]
    searches = search.with_(statistic="SampleCount", period=Duration.hours(1))
    return [
        _graph("Documents read, and attempts that failed", read),
        _graph("Documents that wait, and given up", waiting),
        cloudwatch.GraphWidget(
            title="Search, p90 (ms), and searches an hour",
            left=[search],
            right=[searches],
            width=WIDTH,
        ),
    ]


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=WIDTH)
