"""A model that calls a tool wrongly is told so, and may correct it."""

import json

import pytest

from functions.settings import Settings
from tests.support.chat import text_of
from tests.support.openai_server import Call, Say


@pytest.fixture
def app_settings(cloud, model_url, model_api):
    return Settings(_env_file=None, openai_base_url=model_url, model="test", model_api=model_api)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (Call("subtract", {"a": "1"}), "'subtract' not found"),
        (Call("add", '{"a": "1", "b"'), "Invalid JSON"),
        (Call("add", "[]"), "not valid"),
        (Call("add", {"a": "one", "b": "1"}), "a: Input should be a valid decimal"),
        (Call("add", {"a": "1"}), "b: Field required"),
        (Call("switch_theme", {"theme": "purple"}), "theme: Input should be 'light'"),
    ],
)
def test_the_model_is_told_of_its_mistake_and_answers(ada, model, model_api, call, told):
    model.strict = model_api == "chat_completions"
    model.script = [call, Say("Sorry. It is 2.")]
    assert text_of(ada.create("1 + 1?")) == "Sorry. It is 2."
    assert told in json.dumps(model.requests[-1]).replace("\\", "")


def test_a_model_that_repeats_its_mistake_is_stopped(ada, model):
    model.script = [Call("subtract", {"a": "1"})]
    events = ada.create("2 - 1?")
    assert "more steps" in next(e["message"] for e in events if e["type"] == "error")
    assert len(model.requests) == 10
