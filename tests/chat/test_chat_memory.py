"""What tools returned and what was cited is known in the next turns."""

import json

import pytest

from functions.settings import Settings
from tests.chat.test_chat_citations import URL, cited
from tests.chat.test_chat_runs import cancel, eventually
from tests.support.chat import message, text_of, thread_of
from tests.support.dialects import DialectServer, numbered, response
from tests.support.openai_server import Call, Fail, Say

FOUND = Call("add", {"a": 4700, "b": 11})


@pytest.fixture
def model():
    server = DialectServer()
    server.strict = True
    return server


@pytest.fixture
def app_settings(cloud, model_url):
    return Settings(
        _env_file=None,
        openai_base_url=model_url,
        model="test",
        model_api="chat_completions",
        models="other",
    )


THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "secret"}
CALLED = {
    "id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "add",
    "arguments": '{"a": 4700, "b": 11}', "status": "completed",
}  # fmt: skip


def outputs(request):
    """What tools returned, in a request for chat completions."""
    return [each["content"] for each in request["messages"] if each["role"] == "tool"]


def calls(request):
    return [
        call["function"]["name"]
        for each in request["messages"]
        for call in each.get("tool_calls", ())
    ]


def test_what_a_tool_returned_is_known_in_the_next_turn_as_data(ada, model):
    model.script = [FOUND, Say("I have it."), Say("It is 4711.")]
    thread = thread_of(ada.create("Find my order"))
    assert text_of(ada.say(thread, "Its number?")) == "It is 4711."
    (output,) = outputs(model.requests[-1])
    assert '<data from="a tool"' in output
    assert "4711" in output


def test_what_a_tool_returned_is_told_before_the_answer_to_its_message(ada, model):
    model.script = [FOUND, Say("I have it."), Say("Yes."), FOUND, Say("Again."), Say("Yes.")]
    thread = thread_of(ada.create("1"))
    for question in ("2", "3", "4"):
        ada.say(thread, question)
    roles = [each["role"] for each in model.requests[-1]["messages"]]
    asked, called = ["user"], ["assistant", "tool", "assistant"]
    assert roles == ["system", *asked, *called, *asked, "assistant", *asked, *called, *asked]


def test_the_page_never_gets_what_a_tool_returned(ada, model):
    model.script = [FOUND, Say("I have it.")]
    events = ada.create("Find my order")
    thread = thread_of(events)
    shown = [*events, *ada.items(thread), ada.read("threads.get_by_id", thread_id=thread)]
    assert "4711" not in json.dumps(shown)
    assert [item["type"] for item in ada.items(thread)] == ["user_message", "assistant_message"]


def test_a_message_that_is_tried_again_starts_without_what_its_tools_returned(ada, model):
    model.script = [FOUND, Say("I have it."), Say("Anew.")]
    thread = thread_of(ada.create("Find my order"))
    asked = ada.items(thread)[0]["id"]
    ada.stream("threads.retry_after_item", thread_id=thread, item_id=asked)
    assert outputs(model.requests[-1]) == []
    ada.say(thread, "And now?")
    assert outputs(model.requests[-1]) == []


def test_what_tools_returned_to_a_failed_run_is_known_and_strict_providers_accept_it(ada, model):
    """They refuse a message of the user right after a tool's output."""
    model.script = [FOUND, Fail(400), Say("Back again.")]
    thread = thread_of(ada.create("Find my order"))
    assert text_of(ada.say(thread, "Well?")) == "Back again."
    assert len(outputs(model.requests[-1])) == 1


def test_a_run_that_is_stopped_in_a_tool_keeps_whole_pairs_alone(ada, model, actions):
    model.script = [FOUND, Call("wait"), Say("Back again.")]
    headers = {"x-chatkit-run-id": "run-memory"}
    with ada.open("threads.create", headers, input=message("Find and wait")) as events:
        thread = next(e["thread"]["id"] for e in events if e["type"] == "thread.created")
        eventually(lambda: len(model.requests) == 2)
        cancel(ada, "run-memory", actions)
        list(events)
    assert text_of(ada.say(thread, "Well?")) == "Back again."
    assert calls(model.requests[-1]) == ["add"]
    assert len(outputs(model.requests[-1])) == 1


def test_the_model_gets_a_call_of_the_pages_tool_once_after_the_calls_before_it(ada, model):
    model.script = [FOUND, Call("switch_theme", {"theme": "dark"}), Say("Dark."), Say("Yes.")]
    thread = thread_of(ada.create("Dark, please"))
    events = ada.stream("threads.add_client_tool_output", thread_id=thread, result={"ok": True})
    assert text_of(events) == "Dark."
    ada.say(thread, "Sure?")
    assert calls(model.requests[-1]) == ["add", "switch_theme"]


def test_a_long_output_is_kept_without_its_middle(ada, model):
    long = "start" + "x" * 40_000 + "end"
    model.script = [Call("write_memo", {"text": "short"}), Say("Written."), Say("Yes.")]
    model.script[0] = Call("unknown_tool", {"text": long})
    thread = thread_of(ada.create("Hello"))
    ada.say(thread, "And?")
    assert calls(model.requests[-1]) == ["unknown_tool"]
    assert len(json.dumps(model.requests[-1])) < 20_000


class TestTheResponsesApi:
    @pytest.fixture
    def model(self):
        return DialectServer()

    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"model_api": "responses"})

    def think(self, ada, model, **more):
        """A conversation in which a model thinks, calls a tool, and then one of the page."""
        output = [THOUGHT, CALLED]
        events = [
            {"type": f"response.output_item.{part}", "output_index": at, "item": item}
            for at, item in enumerate(output)
            for part in ("added", "done")
        ]
        begun = {"type": "response.created", "response": response()}
        whole = {"type": "response.completed", "response": response(*output)}
        on_the_page = Call("switch_theme", {"theme": "dark"})
        model.script = [numbered(begun, *events, whole), on_the_page, Say("Dark."), Say("4711.")]
        thread = thread_of(ada.create("Find my order", **more))
        events = ada.stream("threads.add_client_tool_output", thread_id=thread, result={"ok": True})
        assert text_of(events) == "Dark."
        return thread

    def test_a_model_gets_its_encrypted_reasoning_back_while_it_answers_a_message(self, ada, model):
        thread = self.think(ada, model)
        _, thought, called, returned, *_ = model.requests[-1]["input"]
        assert thought == {"type": "reasoning", "summary": [], "encrypted_content": "secret"}
        assert "id" not in called
        assert called["call_id"] == returned["call_id"] == "call_1"
        assert text_of(ada.say(thread, "Its number?")) == "4711."
        assert model.requests[-1]["input"][1:3] == [called, returned]

    def test_another_model_gets_calls_with_ids_that_all_take_and_no_reasoning(self, ada, model):
        self.think(ada, model, inference_options={"model": "other"})
        _, called, returned, *rest = model.requests[-1]["input"]
        assert [each["model"] for each in model.requests] == ["other", "other", "test"]
        assert called["call_id"] == returned["call_id"]
        assert len(called["call_id"]) == 9
        assert called["call_id"].isalnum()
        assert [item["type"] for item in rest] == ["function_call", "function_call_output"]
        assert "secret" not in json.dumps(model.requests[-1])

    def test_what_was_cited_is_known_in_the_next_turn_as_data(self, ada, model):
        model.script = [cited(URL, URL), Say("At example.com.")]
        thread = thread_of(ada.create("Is it?"))
        ada.say(thread, "Where is that from?")
        answer, asked = model.requests[-1]["input"][1:]
        assert answer["role"] == "assistant"
        source = asked["content"][0]["text"]
        assert '<data from="a citation"' in source
        assert source.count("https://example.com/a") == 1
