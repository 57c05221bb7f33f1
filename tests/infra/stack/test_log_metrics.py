"""The chat function logs the numbers that the alarms watch."""

import json
import logging

import pytest

from functions.chat.app import create_app
from functions.lambda_stream.logs import JsonFormatter
from functions.settings import Settings, forget_settings
from infra.local.cloud import local_cloud
from tests.support.chat import Chat
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served


@pytest.fixture
def answered(monkeypatch, caplog):
    """The log of one answer by a model that counts tokens, as lines of JSON."""
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")  # named, so that what local_cloud sets is put back as well
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("CHATKIT_COOKIE_KEY", "k" * 32)
    monkeypatch.setenv("CHATKIT_TABLE", "meter-tests")  # moto's tables are this process's
    forget_settings()
    model = OpenAIServer(Say("a secret answer"))
    with local_cloud(Settings(_env_file=None)), served(model.app) as url:
        settings = Settings(
            _env_file=None, openai_base_url=f"{url}/v1", model="test", model_api="responses"
        )
        with served(create_app(settings)) as chat, caplog.at_level(logging.INFO):
            Chat(chat).create("a secret question")
    forget_settings()
    return [JsonFormatter().format(record) for record in caplog.records]


def test_each_metric_filter_finds_its_number_and_no_words_are_logged(answered, dev):
    filters = [
        f["Properties"]["MetricTransformations"][0]["MetricValue"].removeprefix("$.")
        for f in dev.of_type("AWS::Logs::MetricFilter").values()
    ]
    assert len(filters) == 3
    lines = [json.loads(line) for line in answered]
    for name in filters:
        (number,) = [line[name] for line in lines if name in line]
        assert number >= 0
    assert not any("secret" in line for line in answered)
