"""A message streams its answer, and the answer is stored."""

import json
import threading

import pytest

from functions.settings import Settings
from functions.web import chatkit_request
from tests.support.chat import JSON, Chat, message, text_of, thread_of
from tests.support.openai_server import Call, Fail, Say, SayUnits, Silence


class TestWithEitherApi:
    @pytest.fixture
    def app_settings(self, cloud, model_url, model_api):
        return Settings(
            _env_file=None, openai_base_url=model_url, model="test", model_api=model_api
        )

    def test_an_answer_streams_word_by_word_and_is_stored_as_one_item(self, ada, model):
        model.script = [Say("one two three")]
        events = ada.create("Hi")
        assert text_of(events) == "one two three"
        items = ada.items(thread_of(events))
        assert [item["type"] for item in items] == ["user_message", "assistant_message"]
        assert items[1]["content"][0]["text"] == "one two three"

    def test_an_emoji_that_the_provider_sends_in_two_halves_is_whole(self, ada, model):
        model.script = [SayUnits("Hi 😀! \ud83d?")]
        model.title = "Fine \ud83d\ude00 \ud83d"
        events = ada.create("Hi")
        assert text_of(events) == "Hi 😀! \ufffd?"
        thread = thread_of(events)
        assert ada.items(thread)[1]["content"][0]["text"] == "Hi 😀! \ufffd?"
        title = ada.read("threads.get_by_id", thread_id=thread)["title"]
        assert title == "Fine 😀 \ufffd"

    def test_half_a_character_in_the_arguments_of_a_tool_is_replaced(self, ada, model):
        model.script = [Call("show_items", r'{"add": ["\ud83d", "\ud83d\ude00"]}'), Say("There.")]
        events = ada.create("The list, please")
        assert text_of(events) == "There."
        card = json.dumps(ada.items(thread_of(events)), ensure_ascii=False)
        assert "\ufffd" in card
        assert "😀" in card

    def test_two_answers_are_two_items_after_a_reload(self, ada, model):
        model.script = [Say("first"), Say("second")]
        thread = thread_of(ada.create("Hi"))
        ada.say(thread, "And?")
        answers = [i for i in ada.items(thread) if i["type"] == "assistant_message"]
        assert [answer["content"][0]["text"] for answer in answers] == ["first", "second"]
        assert len({answer["id"] for answer in answers}) == 2

    def test_an_item_has_the_same_store_id_in_all_events(self, ada, model):
        events = ada.create("Hi")
        ids = {
            event.get("item_id") or event["item"]["id"]
            for event in events
            if event["type"].startswith("thread.item.")
        }
        assert len(ids) == 2  # the message and its answer
        assert all(name.startswith("msg_") and len(name) == 36 for name in ids)

    def test_the_model_gets_the_conversation_so_far(self, ada, model):
        model.script = [Say("Blue."), Say("You said blue.")]
        thread = thread_of(ada.create("My favourite colour?"))
        ada.say(thread, "What did you say?")
        asked = json.dumps(model.requests[-1])
        assert asked.index("My favourite colour?") < asked.index("Blue.")
        assert asked.index("Blue.") < asked.index("What did you say?")

    def test_the_model_gets_the_results_of_the_tools_that_it_calls(self, ada, model):
        model.script = [Call("add", {"a": "0.1", "b": "0.2"}), Say("It is 0.3.")]
        assert text_of(ada.create("0.1 + 0.2?")) == "It is 0.3."
        assert '"0.3"' in json.dumps(model.requests[-1]).replace('\\"', '"')


def test_a_page_that_is_asked_for_too_much_has_what_it_may_hold_and_says_that_there_is_more(
    ada, monkeypatch
):
    monkeypatch.setattr(chatkit_request, "MAX_PAGE_SIZE", 2)
    for _ in range(3):
        ada.create("Hi")
    page = ada.read("threads.list", limit=9999)
    assert (len(page["data"]), page["has_more"]) == (2, True)
    rest = ada.read("threads.list", limit=9999, after=page["after"])
    assert (len(rest["data"]), rest["has_more"]) == (1, False)


def test_half_a_character_from_a_browser_is_replaced_wherever_it_is_sent(ada):
    body = json.dumps({"type": "threads.create", "params": {"input": message("Hi \ud83d")}})
    assert "\\ud83d" in body
    answer = ada.http.post("/chatkit", content=body, headers=JSON)
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data")]
    assert ada.items(thread_of(events))[0]["content"][0]["text"] == "Hi \ufffd"
    log = '{"level": "info", "event": "x", "detail": {"page": "\\ude00"}}'
    assert ada.http.post("/chatkit/log", content=log, headers=JSON).status_code == 204


def test_a_new_thread_gets_a_title(ada):
    events = ada.create("What shall we call this?")
    titles = [e["thread"]["title"] for e in events if e["type"] == "thread.updated"]
    assert titles == ["A fine title"]
    assert ada.read("threads.list")["data"][0]["title"] == "A fine title"


def test_a_title_that_is_set_during_an_answer_is_not_overwritten(ada, bob, model):
    gate = threading.Event()
    model.script = [Say("a b c", gate=gate)]
    with ada.open("threads.create", input=message("Hi")) as events:
        thread = next(events)["thread"]["id"]
        next(event for event in events if event["type"] == "thread.item.updated")
        other_tab = Chat(ada.url)
        other_tab.http.cookies = ada.http.cookies
        other_tab.read("threads.update", thread_id=thread, title="Mine")
        gate.set()
        titles = [e["thread"]["title"] for e in events if e["type"] == "thread.updated"]
    assert titles == ["Mine"]
    assert ada.read("threads.get_by_id", thread_id=thread)["title"] == "Mine"


def test_the_model_gets_the_visitors_page_and_language(ada, model):
    headers = {"x-chatkit-page-title": "Caf%C3%A9", "accept-language": "pt-BR,pt;q=0.9"}
    ada.create("Hi", headers)
    requests = json.dumps(model.requests, ensure_ascii=False)
    assert "Café" in requests
    assert "pt-BR" in requests


def test_a_tool_reports_its_progress_to_the_page(ada, model):
    model.script = [Call("look_around"), Say("Nothing there.")]
    events = ada.create("Look around")
    reported = [e["text"] for e in events if e["type"] == "progress_update"]
    assert reported == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]


@pytest.mark.parametrize(
    ("status", "text", "retry"),
    [(401, "API key", False), (429, "busy", True), (500, "failed", True), (404, "know", False)],
)
def test_an_error_of_the_model_becomes_a_message_for_the_visitor(ada, model, status, text, retry):
    model.script = [Fail(status, "secret detail")]
    error = ada.create("Hi")[-1]
    assert (error["type"], text in error["message"]) == ("error", True)
    assert error["allow_retry"] is retry
    assert "secret" not in error["message"]


def test_an_empty_answer_of_the_model_is_an_error(ada, model):
    model.script = [Silence()]
    error = ada.create("Hi")[-1]
    assert error["type"] == "error"
    assert error["message"].startswith("The model answered nothing at all. (run ")


def test_a_partial_answer_is_stored_when_the_model_fails(ada, model):
    gate = threading.Event()
    model.script = [Say("one two three four", gate=gate, dies_after=2)]
    events = []
    with ada.open("threads.create", input=message("Hi")) as stream:
        for event in stream:
            events.append(event)
            if text_of(events) == "one two ":
                gate.set()
    assert (events[-1]["type"], events[-1]["allow_retry"]) == ("error", True)
    answer = ada.items(thread_of(events))[-1]
    assert answer["content"][0]["text"] == "one two "


def test_a_message_is_stored_when_the_model_fails_and_can_be_retried(ada, model):
    model.script = [Fail(500)]
    thread = thread_of(ada.create("Hi"))
    (stored,) = ada.items(thread)
    model.script = [Say("Here I am.")]
    ada.stream("threads.retry_after_item", thread_id=thread, item_id=stored["id"])
    assert [item["type"] for item in ada.items(thread)] == ["user_message", "assistant_message"]


def test_a_retry_replaces_the_answer(ada, model):
    model.script = [Say("first"), Say("second")]
    thread = thread_of(ada.create("Hi"))
    ada.stream("threads.retry_after_item", thread_id=thread, item_id=ada.items(thread)[0]["id"])
    _, answer = ada.items(thread)
    assert answer["content"][0]["text"] == "second"


def test_a_client_tool_is_called_and_its_result_goes_to_the_model(ada, model):
    model.script = [Call("switch_theme", {"theme": "dark"}), Say("Done, it is dark.")]
    events = ada.create("Dark, please")
    thread = thread_of(events)
    call = ada.items(thread)[-1]
    assert (call["type"], call["name"], call["status"]) == (
        "client_tool_call",
        "switch_theme",
        "pending",
    )
    answer = ada.stream(
        "threads.add_client_tool_output", thread_id=thread, result={"theme": "dark"}
    )
    assert text_of(answer) == "Done, it is dark."
    assert ada.items(thread)[1]["status"] == "completed"


def test_answers_to_questions_are_stored_and_go_to_the_model(ada, model):
    model.script = [Call("ask_visitor"), Say("To Rome, then.")]
    thread = thread_of(ada.create("Plan something"))
    asked = ada.items(thread)[-1]
    assert (asked["type"], asked["status"]) == ("structured_input", "pending")
    answers = {"goal": {"values": ["Go to Rome"]}}
    events = ada.stream(
        "threads.add_structured_input",
        thread_id=thread,
        item_id=asked["id"],
        input={"status": "answered", "answers": answers},
    )
    assert text_of(events) == "To Rome, then."
    assert ada.items(thread)[1]["status"] == "answered"
    assert "Go to Rome" in json.dumps(model.requests[-1])


def test_the_offline_demo_answers_and_calls_tools(demo):
    chat = Chat(demo)
    events = chat.create("What is 40 + 2?")
    assert "42" in text_of(events)
    thread = thread_of(events)
    assert "Checkbox" in json.dumps(chat.say(thread, "Show me the list"))
    assert any(item["type"] == "widget" for item in chat.items(thread))


def test_feedback_comes_with_the_items_and_can_be_taken_back(ada, bob):
    thread = thread_of(ada.create())
    ids = [item["id"] for item in ada.items(thread)]

    def shown():
        return ada.post("items.list", thread_id=thread).headers.get("x-chatkit-feedback")

    def take_back(who, **given):
        return who.http.post("/chatkit/feedback/remove", json=given).status_code

    assert shown() is None
    ada.read("items.feedback", thread_id=thread, item_ids=ids[-1:], kind="negative")
    assert shown() == f"{ids[-1]}=negative"
    assert take_back(bob, thread_id=thread, item_ids=ids[-1:]) == 404
    assert take_back(ada, thread_id=thread) == 422
    assert take_back(ada, thread_id=thread, item_ids=["never"]) == 404
    assert shown() == f"{ids[-1]}=negative"
    assert take_back(ada, thread_id=thread, item_ids=ids[-1:]) == 204
    assert shown() is None


@pytest.mark.parametrize(
    ("header", "offered"),
    [
        ({}, {"show_looks", "switch_theme"}),
        ({"x-chatkit-page-can": "client_tools widget_actions"}, {"show_looks", "switch_theme"}),
        ({"x-chatkit-page-can": "widget_actions"}, {"show_looks"}),
        ({"x-chatkit-page-can": "nothing"}, set()),
    ],
)
def test_a_tool_is_not_offered_where_the_page_cannot_do_its_part(ada, model, header, offered):
    picked = {"inference_options": {"tool_choice": {"id": "switch_theme"}}}
    ada.create("Make it dark", header, **picked)
    (asked,) = model.requests
    tools = {tool["function"]["name"] for tool in asked["tools"]}
    assert tools & {"show_looks", "switch_theme"} == offered
    assert ("tool_choice" in asked) == ("switch_theme" in offered)
    assert "multiply" in tools
