"""The alarms. Each one is about something that a person can act on."""

from dataclasses import dataclass

from aws_cdk import Aws, CfnCondition, Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stack.function import ServiceFunction
from infra.stack.knowledge import Reading

PERIOD = Duration.minutes(5)
HOUR = Duration.hours(1)
DAY = Duration.days(1)
EVENTS_LATE = Duration.hours(1)
"""Leaves five hours before `infra.stack.events.MAX_AGE`."""
CLOUDFRONT_REGION = "us-east-1"
"""The only region with CloudFront's metrics."""


@dataclass(frozen=True)
class Spend:
    """Dollars for a million tokens, and dollars that a day's tokens may cost: from `daily` on there
    is an alarm, and at the `budget` answers stop.
    """

    input_price: float
    output_price: float
    daily: float
    budget: float | None


def alarm_topic(scope: Construct, *, email: str | None, topic_arn: str | None) -> sns.ITopic | None:
    """The topic for alarms: an existing one, or a new one that mails `email`, or none."""
    if topic_arn:
        return sns.Topic.from_topic_arn(scope, "AlarmTopic", topic_arn)
    if email is None:
        return None
    topic = sns.Topic(scope, "AlarmTopic", display_name="ChatKit alarms", enforce_ssl=True)
    topic.add_subscription(subscriptions.EmailSubscription(email))
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Alarms",
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"AWS:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return topic


class Alarms(Construct):
    """Alarms on AWS's own metrics, and on metrics that are read from our logs.

    `over_budget` counts the answers that the budget refused; None without a budget. `search` is the
    time of a search; None where no documents are read.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        chat: ServiceFunction,
        actions_function: ServiceFunction,
        events: ServiceFunction,
        sweep: ServiceFunction,
        table: dynamodb.ITable,
        dead_letters: sqs.IQueue,
        distribution_id: str,
        namespace: str,
        first_token_ms: int,
        spend: Spend,
        topic: sns.ITopic | None,
        reading: Reading | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        self.first_token = self._from_logs(
            "FirstToken",
            chat.logs,
            namespace=namespace,
            field="first_token_ms",
            statistic="p90",
            period=PERIOD,
        )
        self.input_tokens = self._from_logs(
            "InputTokens",
            chat.logs,
            namespace=namespace,
            field="input_tokens",
            statistic="Sum",
            period=DAY,
        )
        self.output_tokens = self._from_logs(
            "OutputTokens",
            chat.logs,
            namespace=namespace,
            field="output_tokens",
            statistic="Sum",
            period=DAY,
        )
        self.guardrail_trips = self._from_logs(
            "GuardrailTrips",
            chat.logs,
            namespace=namespace,
            field="guardrail_trips",
            statistic="Sum",
            period=DAY,
        )
        self.spend = cloudwatch.MathExpression(
            expression=(f"(input * {spend.input_price} + output * {spend.output_price}) / 1000000"),
            using_metrics={"input": self.input_tokens, "output": self.output_tokens},
            label="Dollars for tokens",
            period=DAY,
        )
        self.throttled_rows = cloudwatch.MathExpression(
            expression="reads + writes",
            using_metrics={
                name: cloudwatch.Metric(
                    namespace="AWS/DynamoDB",
                    metric_name=metric,
                    dimensions_map={"TableName": table.table_name},
                    statistic="Sum",
                    period=PERIOD,
                )
                for name, metric in (
                    ("reads", "ReadThrottleEvents"),
                    ("writes", "WriteThrottleEvents"),
                )
            },
            label="Throttled requests to the table",
            period=PERIOD,
        )

        self.events_age = events.alias.metric("IteratorAge", period=PERIOD, statistic="Maximum")

        for name, function in (
            ("Chat", chat),
            ("Actions", actions_function),
            ("Events", events),
        ):
            self._alarm(
                f"{name}Errors",
                function.alias.metric_errors(period=PERIOD),
                1,
                f"The {name.lower()} function failed. Its log says why.",
            )
            self._alarm(
                f"{name}Duration",
                function.alias.metric_duration(period=PERIOD, statistic="Maximum"),
                function.timeout * 1000 * 0.9,
                f"The {name.lower()} function came within a tenth of its timeout.",
            )
        # It fails when a sweep has taken two weeks, too.
        self._alarm(
            "SweepErrors",
            sweep.alias.metric_errors(period=HOUR),
            1,
            "The weekly sweep of deleted threads and files failed, or has taken two weeks. Its log "
            "says why.",
        )
        for name, function in (("Chat", chat), ("Actions", actions_function)):
            self._alarm(
                f"{name}Throttles",
                function.alias.metric_throttles(period=PERIOD),
                1,
                f"The {name.lower()} function reached its reserved concurrency and refused "
                "requests.",
            )
        # A throttled event is no lost one: Lambda delivers it again. So the age is what counts.
        self._alarm(
            "EventsLate",
            self.events_age,
            EVENTS_LATE.to_milliseconds(),
            "Deleted threads wait to be purged, and are given up after six hours. Look at the log "
            "of the events function, and at its throttles: see eventsConcurrency.",
        )
        self._alarm(
            "FirstTokenLate",
            self.first_token,
            first_token_ms,
            "One answer in ten begins late. Look at the provider first.",
            periods=3,
        )
        self._alarm(
            "TableThrottles",
            self.throttled_rows,
            10,
            "The table refused requests: one thread or one person is very busy.",
        )
        self._alarm(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD),
            1,
            "An event could not be handled: a deleted thread may not be purged, or an upload may "
            "not be checked. docs/deploy.md says what to do.",
        )
        self._alarm(
            "DailySpend",
            self.spend,
            spend.daily,
            "The day's tokens cost more than dailySpendAlarm.",
        )
        self.over_budget: cloudwatch.Metric | None = None
        if spend.budget is not None:
            self.over_budget = self._from_logs(
                "OverBudget",
                chat.logs,
                namespace=namespace,
                field="budget_refusals",
                statistic="Sum",
                period=HOUR,  # at most one mail an hour, however few people ask
            )
            self._alarm(
                "BudgetUsedUp",
                self.over_budget,
                1,
                f"Answers are refused: today's budget of ${spend.budget:,.2f} is used up, or "
                "the share of it that newcomers may use. `make budget` says what was used, and "
                "allows more.",
            )
        self.search: cloudwatch.Metric | None = None
        if reading is not None:
            self.search = self._from_logs(
                "Search",
                chat.logs,
                namespace=namespace,
                field="search_ms",
                statistic="p90",
                period=PERIOD,
            )
            self._alarm(
                "UnreadDocuments",
                reading.dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD),
                1,
                "A document could not be read into the index, whatever it contains. "
                "`make knowledge` lists it, and docs/knowledge.md says what to do.",
            )
        edge = edge_errors(self, distribution_id, topic)
        condition = CfnCondition(
            self,
            "HasCloudFrontMetrics",
            expression=Fn.condition_equals(Aws.REGION, CLOUDFRONT_REGION),
        )
        resource = edge.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)  # noqa: S101 - narrows the L1 type
        resource.cfn_options.condition = condition

    def _from_logs(
        self,
        construct_id: str,
        group: logs.ILogGroup,
        *,
        namespace: str,
        field: str,
        statistic: str,
        period: Duration,
    ) -> cloudwatch.Metric:
        """A metric of one number in the JSON logs. It has no dimensions, so it is billed once."""
        metric_filter = logs.MetricFilter(
            self,
            construct_id,
            log_group=group,
            metric_namespace=namespace,
            metric_name=field,
            filter_pattern=logs.FilterPattern.exists(f"$.{field}"),
            metric_value=f"$.{field}",
        )
        return metric_filter.metric(statistic=statistic, period=period)

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        periods: int = 1,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))


def edge_errors(
    scope: Construct, distribution_id: str, topic: sns.ITopic | None
) -> cloudwatch.Alarm:
    """Alarm when CloudFront answers more than 5 % of requests with 5xx for 15 minutes."""
    alarm = cloudwatch.Alarm(
        scope,
        "EdgeErrors",
        metric=cloudwatch.Metric(
            namespace="AWS/CloudFront",
            metric_name="5xxErrorRate",
            dimensions_map={"DistributionId": distribution_id, "Region": "Global"},
            statistic="Average",
            period=PERIOD,
        ),
        threshold=5,
        evaluation_periods=3,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description="CloudFront answers more than 5 % with 5xx.",
    )
    if topic:
        alarm.add_alarm_action(actions.SnsAction(topic))
    return alarm
