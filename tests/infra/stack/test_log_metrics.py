"""The chat function logs the numbers that the alarms watch."""

import json
import logging

import pytest

from functions.chat.app import create_app
from functions.lambda_stream.logs import JsonFormatter
from functions.settings import Settings
from tests.support.chat import Chat, message
from tests.support.cloud import own_cloud
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served


@pytest.fixture
def answered(monkeypatch, caplog):
    """The log of one answer by a model that counts tokens, as lines of JSON."""
    model = OpenAIServer(Say("a secret answer"))
    with (
        own_cloud(monkeypatch, CHATKIT_COOKIE_KEY="k" * 32),
        served(model.app) as url,
    ):
        settings = Settings(
            _env_file=None, openai_base_url=f"{url}/v1", model="test", model_api="responses"
        )
        with served(create_app(settings)) as chat, caplog.at_level(logging.INFO):
            Chat(chat).create("a secret question")
    return [JsonFormatter().format(record) for record in caplog.records]


def test_each_metric_filter_finds_its_number_and_no_words_are_logged(answered, dev):
    filters = [
        f["Properties"]["MetricTransformations"][0]["MetricValue"].removeprefix("$.")
        for f in dev.of_type("AWS::Logs::MetricFilter").values()
    ]
    assert len(filters) == 4
    lines = [json.loads(line) for line in answered]
    for name in filters:
        (number,) = [line[name] for line in lines if name in line]
        assert number >= 0
    assert not any("secret" in line for line in answered)


@pytest.fixture
def over_the_budget(monkeypatch, caplog):
    """The log of the message with which the budget is used up, as lines of JSON."""
    model = OpenAIServer()
    with (
        own_cloud(monkeypatch, CHATKIT_COOKIE_KEY="k" * 32),
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
    return [JsonFormatter().format(record) for record in caplog.records]


def test_the_alarm_on_the_budget_finds_its_number_in_the_line_of_a_refusal(over_the_budget, synth):
    template = synth(dailyBudget="20")["chatkit-dev"]
    found = template.only("AWS::Logs::MetricFilter", "AlarmsOverBudget")
    (transformation,) = found["MetricTransformations"]
    name = transformation["MetricValue"].removeprefix("$.")
    assert found["FilterPattern"] == f'{{ $.{name} = "*" }}'
    counted = [line[name] for line in map(json.loads, over_the_budget) if name in line]
    assert set(counted) == {1}  # the message's line, and perhaps that of a title before it
    assert not any("secret" in line for line in over_the_budget)
