"""Alarms and the dashboard."""

import json

import pytest

from tests.infra.stack.variants import EVERYTHING


def test_a_mailed_topic_takes_alarms_of_this_account_and_only_over_tls(bare):
    from infra.stack.alarms import alarm_topic

    template = bare(lambda s: alarm_topic(s, email="a@example.com", topic_arn=None))
    assert template.only("AWS::SNS::Subscription")["Endpoint"] == "a@example.com"
    statements = template.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    allow = next(s for s in statements if s["Effect"] == "Allow")
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert "AWS:SourceAccount" in allow["Condition"]["StringEquals"]
    assert any(s["Effect"] == "Deny" for s in statements)


def test_alarms_watch_the_functions_the_table_the_edge_dead_letters_and_spending(dev):
    alarms = {n.removeprefix("Alarms")[:-8] for n in dev.of_type("AWS::CloudWatch::Alarm")}
    assert alarms == {
        "ChatErrors",
        "ChatThrottles",
        "ChatDuration",
        "ActionsErrors",
        "ActionsThrottles",
        "ActionsDuration",
        "EventsErrors",
        "EventsDuration",
        "EventsLate",
        "SweepErrors",
        "ChangesErrors",
        "ChangesDuration",
        "ChangesLate",
        "ChangesDeadLetters",
        "FirstTokenLate",
        "FailedAnswers",
        "TableThrottles",
        "DeadLetters",
        "DailySpend",
        "EdgeErrors",
    }
    for alarm in dev.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
        assert alarm["Properties"]["AlarmDescription"]


@pytest.mark.parametrize(
    "typed", [{"dailyBudget": "20"}, {"limits": '{"stage": {"dollars_per_day": 20}}'}]
)
def test_a_budget_has_an_alarm_a_graph_and_outputs_for_make_budget(synth, typed):
    template = synth(**typed, alarmEmail="a@example.com")["chatkit-dev"]
    alarm = template.only("AWS::CloudWatch::Alarm", "AlarmsBudgetUsedUp")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("budget_refusals", "Sum")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert "$20.00" in alarm["AlarmDescription"]
    assert "make budget" in alarm["AlarmDescription"]
    assert alarm["AlarmActions"]
    assert "Answers over the budget" in json.dumps(template.only("AWS::CloudWatch::Dashboard"))
    outputs = {name: output["Value"] for name, output in template.body["Outputs"].items()}
    assert (outputs["DailyBudget"], outputs["BudgetRows"]) == ("20.0", "1")


def test_without_a_budget_there_is_nothing_of_it(dev):
    assert "udget" not in json.dumps(dev.body)


def test_alarms_are_sent_to_the_topic(synth, dev):
    assert "AlarmActions" not in json.dumps(dev.body)
    template = synth(**EVERYTHING)["chatkit-prod"]
    (topic,) = template.of_type("AWS::SNS::Topic")
    for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]


def test_an_alarm_on_cloudfront_exists_only_where_its_metrics_are(synth, dev):
    (edge,) = dev.of_type("AWS::CloudWatch::Alarm").keys() & {
        name for name in dev.resources if name.startswith("AlarmsEdgeErrors")
    }
    condition = dev.body["Conditions"][dev.resources[edge]["Condition"]]
    assert condition == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    other = synth(**EVERYTHING)["chatkit-prod-edge-alarms"]
    assert len(other.of_type("AWS::CloudWatch::Alarm")) == 1


def test_an_alarm_on_duration_comes_before_the_timeout(dev):
    for name in ("Chat", "Actions", "Events", "Changes"):
        timeout = dev.only("AWS::Lambda::Function", f"{name}Function")["Timeout"]
        alarm = dev.only("AWS::CloudWatch::Alarm", f"Alarms{name}Duration")
        assert timeout * 500 < alarm["Threshold"] < timeout * 1000


@pytest.mark.parametrize("name", ["Events", "Changes"])
def test_an_alarm_on_late_records_comes_hours_before_lambda_gives_them_up(dev, name):
    alarm = dev.only("AWS::CloudWatch::Alarm", f"Alarms{name}Late")
    assert alarm["MetricName"] == "IteratorAge"
    assert f"{name}Function" in json.dumps(alarm["Dimensions"])
    mapping = dev.only("AWS::Lambda::EventSourceMapping", f"{name}Stream")
    assert alarm["Threshold"] <= mapping["MaximumRecordAgeInSeconds"] * 1000 / 2


def test_the_dashboard_shows_use_speed_and_cost_and_can_be_left_out(synth, dev):
    body = dev.only("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "X" for part in body)
    shown = {widget["properties"]["title"] for widget in json.loads(text)["widgets"]}
    assert shown == {
        "Requests",
        "Errors",
        "Throttles",
        "First token, p90 (ms)",
        "Duration, p99",
        "Throttled rows",
        "Tokens a day",
        "Dollars a day",
        "Age of changes (ms)",
        "Left behind, and swept",
        "Trips of guardrails a day",
        "Share of answers that fail",
        "Share of cold starts",
    }
    (without,) = synth(dashboard="false").values()
    assert not without.of_type("AWS::CloudWatch::Dashboard")
