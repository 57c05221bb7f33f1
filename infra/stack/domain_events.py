"""The bus of domain events, and one example of who reads it. `docs/events.md` has the events."""

from aws_cdk import CfnOutput
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.changes.domain_events import SOURCE
from infra.stack.changes import Changed
from infra.stack.events import dead_letter_queue


class DomainBus(Construct):
    """The bus `ChatKit-<stage>`, which the changes function publishes on and nobody else.

    It has a fixed name, unlike other resources, because rules of other stacks name it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: str, changed: Changed
    ) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=f"ChatKit-{stage}",
            description=f"What happens in ChatKit {stage}",
        )
        function = changed.function
        function.allow("Publish", ["events:PutEvents"], [self.bus.event_bus_arn])
        function.function.add_environment("CHATKIT_STAGE", stage)
        function.function.add_environment("CHATKIT_EVENT_BUS", self.bus.event_bus_name)
        CfnOutput(
            scope, "EventBus", value=self.bus.event_bus_name, description="Domain events: the bus"
        )

    def notify(self, topic: sns.ITopic, *, stage: str) -> None:
        """The example of a reader: a thumb down and a failed answer are told to the alarms' topic.

        The text has ids and kinds, and no words of a person. What the topic does not take within a
        day is kept in a queue for two weeks.
        """
        dead_letters = dead_letter_queue(self, "NotifyDeadLetters")
        field = events.EventField.from_path
        for name, pattern, text in (
            (
                "ThumbDown",
                {"detail_type": ["feedback.given"], "detail": {"kind": ["negative"]}},
                f"a thumb down for {field('$.detail.item')} in {field('$.detail.thread')}",
            ),
            (
                "AnswerFailed",
                {"detail_type": ["answer.failed"]},
                f"an answer failed, run {field('$.detail.run')}: {field('$.detail.error')}",
            ),
        ):
            rule = events.Rule(
                self,
                name,
                event_bus=self.bus,
                description="An example of a reader of domain events",
                event_pattern=events.EventPattern(source=[SOURCE], **pattern),
            )
            rule.add_target(
                targets.SnsTopic(
                    topic,
                    # By a role: the policy of a topic that exists already is not ours to change.
                    authorize_using_role=True,
                    message=events.RuleTargetInput.from_text(f"ChatKit {stage}: {text}"),
                    dead_letter_queue=dead_letters,
                )
            )
