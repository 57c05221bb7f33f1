"""The functions log the numbers that the alarms and the dashboard watch."""

import json
import logging

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter as AwsJsonFormatter
from jsonschema import validate

from functions.chat.app import create_app
from functions.lambda_stream.logs import JsonFormatter
from functions.metrics import MAX_VALUES, NAMESPACE_VARIABLE, UNITS, as_metrics
from functions.settings import Settings
from tests.support.chat import Chat, message
from tests.support.cloud import own_cloud
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

NAME = {"type": "string", "minLength": 1, "maxLength": 255}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "additionalProperties": False,
    "properties": {"Name": NAME, "Unit": {"enum": ["Milliseconds", "Count", "None"]}},
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": NAME,
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": 30, "items": NAME},
        },
        "Metrics": {"type": "array", "maxItems": 100, "items": METRIC},
    },
}
EMBEDDED_METRICS = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {"type": "array", "items": DIRECTIVE},
            },
        }
    },
}
"""What AWS's schema of the embedded metric format says, at the end of its specification:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""
NUMBERS = {
    "oneOf": [
        {"type": "number"},
        {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": {"type": "number"}},
    ]
}


def metrics_of(line):
    """The metrics that CloudWatch takes from a line of the log, with their values."""
    document = json.loads(line)
    if "_aws" not in document:
        return {}
    validate(document, EMBEDDED_METRICS)
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [[]]
    found = {}
    for metric in directive["Metrics"]:
        found[metric["Name"]] = value = document[metric["Name"]]
        validate(value, NUMBERS)
        assert metric["Unit"] == UNITS[metric["Name"]]
    return {directive["Namespace"]: found}


@pytest.fixture(params=[JsonFormatter, AwsJsonFormatter])
def written(request, caplog):
    """The lines of the log, as the streaming function and as Lambda's own client write them."""

    def lines():
        records = [*caplog.get_records("setup"), *caplog.get_records("call")]
        return [request.param().format(record) for record in records]

    return lines


@pytest.fixture
def answered(monkeypatch, caplog):
    """The log of one answer by a model that counts tokens."""
    model = OpenAIServer(Say("a secret answer"))
    with (
        own_cloud(
            monkeypatch,
            CHATKIT_COOKIE_KEY="k" * 32,
            CHATKIT_LOG_LEVEL="ERROR",
            **{NAMESPACE_VARIABLE: "ChatKit/dev"},
        ),
        served(model.app) as url,
    ):
        settings = Settings(
            _env_file=None,
            openai_base_url=f"{url}/v1",
            model="test",
            model_api="responses",
            prices={"test": {"input": 1, "output": 2}},
        )
        with caplog.at_level(logging.INFO), served(create_app(settings)) as chat:
            assert logging.getLogger().level == logging.ERROR
            Chat(chat).create("a secret question")


def test_a_run_has_the_metrics_of_the_alarms_at_every_level_and_no_words(answered, written, dev):
    [line] = [each for each in written() if metrics_of(each)]
    assert "secret" not in line
    [(namespace, values)] = metrics_of(line).items()
    assert values["input_tokens"] == 2 * 10  # the answer's and the title's
    assert values["dollars"] == pytest.approx((20 * 1 + 10 * 2) / 1e6)
    assert (values["failed_runs"], values["cold_starts"], values["guardrail_trips"]) == (0, 1, 0)
    watched = set()
    for alarm in dev.of_type("AWS::CloudWatch::Alarm").values():
        if alarm["Properties"].get("Namespace") == namespace:
            watched.add(alarm["Properties"]["MetricName"])
    assert watched == {"first_token_ms", "failed_runs", "dollars"}
    assert watched < values.keys()
    function = dev.only("AWS::Lambda::Function", "ChatFunction")
    assert function["Environment"]["Variables"][NAMESPACE_VARIABLE] == namespace


def test_no_metric_is_written_that_nothing_shows(synth):
    template = json.dumps(synth(knowledge="true", dailyBudget="20")["chatkit-dev"].body)
    assert [name for name in UNITS if name not in template] == []
    assert "MetricFilter" not in template


def test_a_metric_of_several_values_is_a_list_of_a_hundred_at_most(written, caplog, monkeypatch):
    monkeypatch.setenv(NAMESPACE_VARIABLE, "ChatKit/dev")
    caplog.set_level(logging.INFO)
    many = {"search_ms": [*range(120)], "first_token_ms": None}
    logging.getLogger("functions.test").info("searched", extra=as_metrics(many))
    [line] = written()
    assert metrics_of(line) == {"ChatKit/dev": {"search_ms": [*range(100)]}}


def test_without_a_namespace_a_line_has_numbers_and_no_metrics(monkeypatch):
    monkeypatch.delenv(NAMESPACE_VARIABLE, raising=False)
    assert as_metrics({"budget_refusals": 1}) == {"budget_refusals": 1}


@pytest.fixture
def over_the_budget(monkeypatch, caplog):
    """The log of the message with which the budget is used up."""
    model = OpenAIServer()
    with (
        own_cloud(
            monkeypatch,
            CHATKIT_COOKIE_KEY="k" * 32,
            **{NAMESPACE_VARIABLE: "ChatKit/dev"},
        ),
        served(model.app) as url,
    ):
        settings = Settings(
            _env_file=None,
            openai_base_url=f"{url}/v1",
            model="test",
            prices={"test": {"input": 1, "output": 1_000}},
            answer_tokens=16,  # so $0.02 are reserved for an answer
            limits={"stage": {"dollars_per_day": 0.03}},
        )
        with served(create_app(settings)) as address, caplog.at_level(logging.ERROR):
            chat = Chat(address)
            for _ in range(9):
                answer = chat.post("threads.create", input=message("a secret question"))
                if answer.status_code == 429:
                    break
            assert answer.status_code == 429


def test_a_refusal_by_the_budget_is_a_metric(over_the_budget, written, synth):
    alarm = synth(dailyBudget="20")["chatkit-dev"].only(
        "AWS::CloudWatch::Alarm", "AlarmsBudgetUsedUp"
    )
    counted = [
        values["budget_refusals"]
        for line in written()
        for namespace, values in metrics_of(line).items()
        if namespace == alarm["Namespace"] and alarm["MetricName"] in values
    ]
    assert set(counted) == {1}  # the message's line, and perhaps that of a title before it
    assert not any("secret" in line for line in written())
