"""Reasoning is shown as a workflow, which always ends. Reasoning alone is no answer."""

import threading

import pytest

from tests.chat.test_chat_runs import cancel, eventually
from tests.support.chat import message, text_of, thread_of
from tests.support.dialects import (
    DialectServer,
    chunks,
    message_events,
    numbered,
    reasoning_events,
    response,
)


@pytest.fixture
def model():
    return DialectServer()


@pytest.fixture
def app_settings(app_settings, model_api):
    return app_settings.model_copy(update={"model_api": model_api})


def thoughts(model_api, *more, ends=True):
    """A stream with the reasoning `Hm` and nothing else but `more`."""
    if model_api == "chat_completions":
        script = chunks({"role": "assistant", "content": ""}, {"reasoning_content": "Hm"})
        return script if ends else type(script)(script.events[:-1])
    events = reasoning_events("Hm")
    whole = {"type": "response.completed", "response": response(events[-1]["item"])}
    begun = {"type": "response.created", "response": response()}
    return numbered(begun, *events, *more, *([whole] if ends else []))


def workflows(items):
    return [item["workflow"] for item in items if item["type"] == "workflow"]


def shows_that_it_thought(items):
    (workflow,) = workflows(items)
    assert [task["content"] for task in workflow["tasks"]] == ["Hm"]
    assert "duration" in workflow["summary"]


def test_reasoning_without_an_answer_is_an_error_that_can_be_retried(ada, model, model_api):
    model.script = [thoughts(model_api)]
    events = ada.create("Think")
    error = events[-1]
    assert (error["type"], error["allow_retry"]) == ("error", True)
    assert error["message"].startswith("The model answered nothing at all. (run ")
    shows_that_it_thought([e["item"] for e in events if e["type"] == "thread.item.done"])
    shows_that_it_thought(ada.items(thread_of(events)))


def test_a_workflow_is_ended_when_the_model_breaks_off(ada, model, model_api):
    stream = thoughts(model_api, ends=False)
    stream.gate, stream.dies = threading.Event(), True
    model.script = [stream]
    events = []
    with ada.open("threads.create", input=message("Think")) as answer:
        for event in answer:
            events.append(event)
            if event.get("update", {}).get("type") == "workflow.task.added":
                stream.gate.set()
    assert events[-1]["type"] == "error"
    shows_that_it_thought([e["item"] for e in events if e["type"] == "thread.item.done"])
    shows_that_it_thought(ada.items(thread_of(events)))


def test_a_workflow_is_ended_when_the_visitor_stops_the_answer(ada, model, model_api, actions):
    model.script = [thoughts(model_api, ends=False)]
    model.script[0].gate = threading.Event()
    run = f"run-{model_api}"
    with ada.open("threads.create", {"x-chatkit-run-id": run}, input=message("Think")) as events:
        thread = next(e["thread"]["id"] for e in events if e["type"] == "thread.created")
        next(e for e in events if e.get("update", {}).get("type") == "workflow.task.added")
        cancel(ada, run, actions)
        list(events)
    eventually(lambda: workflows(ada.items(thread)))
    shows_that_it_thought(ada.items(thread))


def text_events(model_api, *pieces):
    """A streamed answer of these pieces of text."""
    if model_api == "chat_completions":
        return chunks(*({"content": piece} for piece in pieces))
    part = {"type": "output_text", "text": "".join(pieces), "annotations": []}
    deltas = [
        {"type": "response.output_text.delta", "delta": piece, "logprobs": []} for piece in pieces
    ]
    events = message_events(
        {"type": "response.content_part.added", "part": {**part, "text": ""}},
        *deltas,
        {"type": "response.output_text.done", "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", "part": part},
        content=[part],
    )
    whole = {"type": "response.completed", "response": response(events[-1]["item"])}
    return numbered({"type": "response.created", "response": response()}, *events, whole)


THOUGHTS = {
    "in words": ["<think>", "Hm", "</think>", "\n\nYes", " sir"],
    "in letters": [*"\n<think>\nHm\n</think>\n\nYes sir"],
    "at once": ["<think>Hm</think>Yes sir"],
}


@pytest.mark.parametrize("pieces", THOUGHTS.values(), ids=THOUGHTS)
def test_thoughts_in_the_text_are_reasoning_and_no_part_of_the_answer(
    ada, model, model_api, pieces
):
    model.script = [text_events(model_api, *pieces)]
    events = ada.create("Well?")
    assert "error" not in {event["type"] for event in events}
    assert text_of(events) == "Yes sir"
    items = ada.items(thread_of(events))
    shows_that_it_thought(items)
    assert [item["type"] for item in items] == ["user_message", "workflow", "assistant_message"]
    assert items[-1]["content"][0]["text"] == "Yes sir"


def test_thoughts_that_only_end_with_a_mark_are_not_in_the_answer_that_is_kept(
    ada, model, model_api
):
    model.script = [text_events(model_api, "Hm\n", "</thi", "nk>\n\nYes", " sir")]
    events = ada.create("Well?")
    assert "error" not in {event["type"] for event in events}
    assert ada.items(thread_of(events))[-1]["content"][0]["text"] == "Yes sir"
    (done,) = [event["item"] for event in events if event["type"] == "thread.item.done"][1:]
    assert done["content"][0]["text"] == "Yes sir"


@pytest.mark.parametrize("pieces", [["<think>Hm"], ["<think>Hm</think>", "\n"]])
def test_thoughts_alone_are_no_answer(ada, model, model_api, pieces):
    model.script = [text_events(model_api, *pieces)]
    events = ada.create("Well?")
    assert (events[-1]["type"], events[-1]["allow_retry"]) == ("error", True)
    shows_that_it_thought(ada.items(thread_of(events)))


@pytest.mark.parametrize("pieces", [["<", "b>Yes"], ["<thin", "k"], ["Yes <think>", "x</think>"]])
def test_other_text_is_sent_as_it_is(ada, model, model_api, pieces):
    model.script = [text_events(model_api, *pieces)]
    events = ada.create("Well?")
    assert text_of(events) == "".join(pieces)
    assert ada.items(thread_of(events))[-1]["content"][0]["text"] == "".join(pieces)


@pytest.mark.parametrize("model_api", ["chat_completions"])
@pytest.mark.parametrize("fields", [("reasoning",), ("reasoning_content", "reasoning")])
def test_each_name_of_reasoning_in_a_chunk_is_shown_once(ada, model, fields):
    model.script = [chunks(dict.fromkeys(fields, "Hm"), {"content": "Yes"})]
    events = ada.create("Well?")
    assert text_of(events) == "Yes"
    shows_that_it_thought(ada.items(thread_of(events)))


class TestBlankMessages:
    @pytest.fixture
    def model_api(self):
        return "responses"

    @pytest.mark.parametrize("text", ["", " \n"])
    def test_a_blank_message_is_no_answer_and_is_not_kept(self, ada, model, text):
        part = {"type": "output_text", "text": text, "annotations": []}
        events = message_events(
            {"type": "response.content_part.added", "part": {**part, "text": ""}}, content=[part]
        )
        whole = {"type": "response.completed", "response": response(events[-1]["item"])}
        begun = {"type": "response.created", "response": response()}
        model.script = [numbered(begun, *events, whole)]
        events = ada.create("Say nothing")
        assert text_of(events) == ""
        assert (events[-1]["type"], events[-1]["allow_retry"]) == ("error", True)
        assert "thread.item.removed" in {event["type"] for event in events}
        assert [each["type"] for each in ada.items(thread_of(events))] == ["user_message"]
