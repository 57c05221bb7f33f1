"""How a stage is watched: traces, alarms, events, the report, and what the models cost."""

from typing import Literal

from pydantic import Field

from functions.addresses import SecureAddress
from infra.stack.settings.group import FUNCTIONS, SettingsGroup


class TraceSettings(SettingsGroup):
    otlp_endpoint: SecureAddress | None = Field(
        None,
        description="Address of an OpenTelemetry collector (OTLP over HTTP, without `/v1/traces`), "
        "which gets a trace of each answer.",
    )
    otlp_headers_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret with the headers that the collector asks "
        "for: `name=value,…`.",
    )


class WatchingSettings(SettingsGroup):
    alarm_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Makes an SNS topic that mails alarms to this address.",
    )
    alarm_topic_arn: str | None = Field(
        None,
        pattern=r"^arn:aws:sns:\S+$",
        description="Sends alarms to an existing SNS topic.",
    )
    domain_events: bool = Field(
        False,
        description="Publish what happens (a thread is created, an answer is complete, feedback is "
        "given, …) on a bus of Amazon EventBridge, `ChatKit-<stage>`, for programs of yours "
        "(docs/events.md).",
    )
    event_text: bool = Field(
        False,
        description="With `domainEvents`, `message.received` and `answer.completed` carry what was "
        "said, up to 10,000 characters. By default no event has anybody's words.",
    )
    example: Literal["notify"] | None = Field(
        None,
        description="`notify` is an example of who reads `domainEvents`, which it turns on: a "
        "thumb down and a failed answer are told to the topic of the alarms.",
    )
    dashboard: bool = Field(True, description="A CloudWatch dashboard.")
    first_token_alarm_ms: int = Field(
        8000,
        ge=100,
        description="Alarm when one answer in ten takes longer to its first token, in "
        "milliseconds.",
    )
    admin_role: str = Field(
        FUNCTIONS["admin_role"].default,
        min_length=1,
        description="Role of the people who may read the report of everybody's use, at `/admin` "
        "and `GET /chatkit/report` (docs/report.md). Only people who sign in have roles.",
    )
    report_text: bool = Field(
        False,
        description="Put the first 300 characters of a question that got a thumb down or no source "
        "into the report. By default it has no words of anybody.",
    )
    input_token_price: float = Field(
        0.25,
        ge=0,
        description="Dollars for a million input tokens, for the spend alarm and the budget.",
    )
    output_token_price: float = Field(
        2.0,
        ge=0,
        description="Dollars for a million output tokens, for the spend alarm and the budget.",
    )
    daily_spend_alarm: float = Field(
        10.0, gt=0, description="Alarm when a day's tokens cost more, in dollars."
    )
    edge_alarms: bool = Field(
        False,
        description="Puts the alarm on CloudFront's errors into a stack in us-east-1. Not needed "
        "when `region` is us-east-1, where it is always made.",
    )

    @property
    def publishes(self) -> bool:
        return self.domain_events or self.example is not None

    @property
    def reads_texts(self) -> bool:
        """Whether the changes function reads what people have written."""
        return self.event_text or self.report_text
