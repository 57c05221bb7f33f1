"""The dashboard: use, errors, speed and cost."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.stack.alarms import Alarms
from infra.stack.function import ServiceFunction

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
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        ours = (chat.alias, actions_function.alias, events.alias)
        refused = [] if alarms.over_budget is None else [alarms.over_budget]
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
                    _graph("Age of deletions (ms)", [alarms.events_age]),
                ],
                [
                    _graph("Trips of guardrails a day", [alarms.guardrail_trips]),
                    *(_graph("Answers over the budget", [metric]) for metric in refused),
                ],
            ],
        )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=WIDTH)
