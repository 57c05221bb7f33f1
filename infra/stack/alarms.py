"""The alarms. Each one is about something that a person can act on."""

from dataclasses import dataclass

from aws_cdk import Aws, CfnCondition, Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stack.changes import Changed
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
    """Dollars that a day's tokens may cost: from `daily` on there is an alarm, and at the `budget`
    answers stop.
    """

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
    """Alarms on AWS's own metrics, and on those that the lines of our logs carry.

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
        changed: Changed,
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
        self._namespace = namespace
        self.first_token = self._metric("first_token_ms", "p90", PERIOD)
        self.failed_runs = self._metric("failed_runs", "Average", PERIOD)
        self.cold_starts = self._metric("cold_starts", "Average", HOUR)
        self.input_tokens = self._metric("input_tokens", "Sum", DAY)
        self.output_tokens = self._metric("output_tokens", "Sum", DAY)
        self.guardrail_trips = self._metric("guardrail_trips", "Sum", DAY)
        self.spend = self._metric("dollars", "Sum", DAY)
        self.swept = [self._metric(name, "Sum", DAY) for name in ("swept_rows", "swept_objects")]
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

        self.events_age, self.changes_age = (
            function.alias.metric("IteratorAge", period=PERIOD, statistic="Maximum")
            for function in (events, changed.function)
        )

        for name, function in (
            ("Chat", chat),
            ("Actions", actions_function),
            ("Events", events),
            ("Changes", changed.function),
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
            "ChangesLate",
            self.changes_age,
            EVENTS_LATE.to_milliseconds(),
            "Changes of the table wait to be counted and published, and are given up after six "
            "hours. Look at the log of the changes function.",
        )
        self._alarm(
            "FirstTokenLate",
            self.first_token,
            first_token_ms,
            "One answer in ten begins late. Look at the provider first.",
            periods=3,
        )
        self._alarm(
            "FailedAnswers",
            self.failed_runs,
            0.5,
            "Half of the answers fail. The page shows an error, and no function has failed. "
            "`make logs` shows the errors: look at the provider first.",
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
            "ChangesDeadLetters",
            changed.dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD),
            1,
            "A change of the table could not be counted or published. docs/operations.md says what "
            "to do.",
        )
        self._alarm(
            "DailySpend",
            self.spend,
            spend.daily,
            "The day's tokens cost more than dailySpendAlarm.",
        )
        self.over_budget: cloudwatch.Metric | None = None
        if spend.budget is not None:
            # At most one mail an hour, however few people ask.
            self.over_budget = self._metric("budget_refusals", "Sum", HOUR)
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
            self.search = self._metric("search_ms", "p90", PERIOD)
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

    def _metric(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """A metric of `functions.metrics`, which lines of the log carry. It has no dimensions, so
        it is billed once.
        """
        return cloudwatch.Metric(
            namespace=self._namespace, metric_name=name, statistic=statistic, period=period
        )

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
