"""Whatever a tool does, an answer stays within bounds."""

import json

import pytest

from functions.chat.agent_answer import MAX_TOOLS_AT_ONCE
from functions.llm.length import BYTES_OF_A_TOKEN
from functions.settings import Settings
from tests.assistants import busy
from tests.support.chat import text_of
from tests.support.openai_server import Call, Calls, Say


@pytest.fixture
def app_settings(cloud, model_url):
    busy.PEAK.clear()
    return Settings(
        _env_file=None,
        openai_base_url=model_url,
        model="test",
        model_api="chat_completions",
        assistant="tests.assistants.busy",
    )


def outputs(request):
    return [message["content"] for message in request["messages"] if message["role"] == "tool"]


def test_the_middle_of_a_long_output_of_a_tool_of_the_sdk_is_left_out(ada, model):
    model.script = [Call("read_all"), Say("Read.")]
    assert text_of(ada.create()) == "Read."
    [output] = outputs(model.requests[1])
    assert len(output) < busy.assistant.max_tool_output * BYTES_OF_A_TOKEN + 300
    assert "It begins. " in output
    assert "characters are left out here" in output
    assert "It ends." in output


def test_at_most_so_many_tools_run_at_once_and_the_other_calls_wait(ada, model):
    many = MAX_TOOLS_AT_ONCE + 4
    model.script = [Calls(*[Call("count")] * many), Say("Counted.")]
    assert text_of(ada.create()) == "Counted."
    assert len(outputs(model.requests[1])) == many
    assert (len(busy.PEAK), max(busy.PEAK)) == (many, MAX_TOOLS_AT_ONCE)


def test_a_tool_may_say_how_long_it_takes(ada, model):
    model.script = [Call("wait_long"), Say("It took too long.")]
    assert text_of(ada.create()) == "It took too long."
    assert "it took longer than 0.05 seconds" in json.dumps(model.requests[1])


@pytest.mark.parametrize("reset", [True, False])
def test_a_tool_that_the_visitor_picked_is_forced_once(ada, model, monkeypatch, reset):
    monkeypatch.setattr(busy.assistant, "reset_tool_choice", reset)
    model.script = [Call("count"), Say("Counted."), Call("count"), Say("Again.")]
    picked = {"tool_choice": {"id": "count"}}
    thread = None
    for text in ("Counted.", "Again."):
        if thread is None:
            events = ada.create(inference_options=picked)
            thread = events[0]["thread"]["id"]
        else:
            events = ada.say(thread, "Once more", inference_options=picked)
        assert text_of(events) == text
    forced = [request.get("tool_choice") for request in model.requests]
    named = {"type": "function", "function": {"name": "count"}}
    assert [choice == named for choice in forced] == [True, False, True, False]
