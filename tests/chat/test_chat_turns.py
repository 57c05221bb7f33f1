"""What a provider gets begins with the user, and the roles take turns."""

import json

import pytest

from functions.settings import Settings
from tests.support.chat import text_of, thread_of
from tests.support.openai_server import Call, Fail, Say


@pytest.fixture
def model(model):
    model.strict = True
    return model


def roles(request):
    return [message["role"] for message in request["messages"]]


def test_a_conversation_goes_on_after_an_answer_that_failed(ada, model):
    model.script = [Fail(400), Say("Back again.")]
    thread = thread_of(ada.create("First question"))
    assert text_of(ada.say(thread, "Second question")) == "Back again."
    asked = json.dumps(model.requests[-1])
    assert "First question" in asked
    assert "Second question" in asked


def test_a_widget_is_told_by_the_assistant(ada, model):
    model.script = [Call("show_items", {"add": ["milk"]}), Say("There it is."), Say("Yes, milk.")]
    thread = thread_of(ada.create("The list, please"))
    assert text_of(ada.say(thread, "Milk, too?")) == "Yes, milk."
    before = ["system", "user", "assistant", "tool"]
    assert roles(model.requests[-1]) == [*before, "assistant", "user"]
    assert "graphical UI widget" in model.requests[-1]["messages"][4]["content"]


def test_a_widget_is_told_between_two_calls(ada, model):
    model.script = [Call("show_looks"), Call("switch_theme", {"theme": "dark"}), Say("Dark.")]
    thread = thread_of(ada.create("Dark, please"))
    events = ada.stream("threads.add_client_tool_output", thread_id=thread, result={"ok": True})
    assert text_of(events) == "Dark."
    called = ["assistant", "tool"]
    assert roles(model.requests[-1]) == ["system", "user", *called, *called]
    assert "graphical UI widget" in model.requests[-1]["messages"][4]["content"]


class TestWithAShortHistory:
    @pytest.fixture
    def app_settings(self, cloud, model_url):
        return Settings(
            _env_file=None,
            openai_base_url=model_url,
            model="test",
            model_api="chat_completions",
            history_items=4,
        )

    def test_a_long_conversation_begins_with_the_user(self, ada, model):
        model.script = [Say("Yes.")]
        thread = thread_of(ada.create("1?"))
        for number in range(2, 5):
            assert text_of(ada.say(thread, f"{number}?")) == "Yes."
        assert roles(model.requests[-1]) == ["system", "user", "assistant", "user"]
