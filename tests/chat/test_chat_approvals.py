"""A tool that needs approval waits on a card, and runs once when the visitor says yes."""

import asyncio
import json
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.chat import approvals, kept_run
from functions.chat.app import create_app
from functions.context import RequestContext
from functions.llm import demo_events
from functions.settings import Settings
from functions.store import Records, Table, records
from functions.toolkit import DemoRule, DemoScript
from tests.assistants import careful
from tests.support.chat import Chat, text_of, thread_of
from tests.support.limited import rows
from tests.support.openai_server import Call, Calls, Fail, Say
from tests.support.served import served

PAY = {"to": "Bob", "amount": 5}


@pytest.fixture
def model_api():
    return "chat_completions"


@pytest.fixture
def app_settings(cloud, model_url, model_api):
    careful.DONE.clear()
    return Settings(
        _env_file=None,
        openai_base_url=model_url,
        model="test",
        models="other",
        model_api=model_api,
        assistant="tests.assistants.careful",
    )


@pytest.fixture
def offline(monkeypatch, cloud):
    """The offline demo, which calls the tool by a rule."""
    careful.DONE.clear()
    monkeypatch.setattr(demo_events, "PACE", 0)
    rule = DemoRule("send_money", r"\bsend\b", lambda _: PAY)
    script = DemoScript(rules=(rule,))
    monkeypatch.setattr(careful.assistant, "demo", lambda: script)
    with served(create_app(Settings(_env_file=None, assistant="tests.assistants.careful"))) as url:
        yield Chat(url)


@pytest.fixture
def elsewhere(app_settings):
    """Makes the same visitor's tab, in another environment of the function."""
    with served(create_app(app_settings)) as url:

        def tab(chat):
            other = Chat(url)
            other.http.cookies.update(chat.http.cookies)
            return other

        yield tab


def cards(events):
    return [
        event["item"]
        for event in events
        if event["type"] == "thread.item.done" and event["item"]["type"] == "widget"
    ]


def press(chat, card, approve=True, headers=None):
    action = {"type": "approval.decide", "payload": {"approve": approve}}
    place = {"thread_id": card["thread_id"], "item_id": card["id"]}
    return chat.stream("threads.custom_action", headers, action=action, **place)


def shown(chat, card):
    """The texts of a card as it is stored."""
    item = next(i for i in chat.items(card["thread_id"]) if i["id"] == card["id"])
    return json.dumps(item["widget"])


def errors(events):
    return [event["message"] for event in events if event["type"] == "error"]


def told(request):
    return json.dumps(request)


def records_of(thread):
    return Records(Table(os.environ["CHATKIT_TABLE"])).of_thread(thread)


def kept(chat, thread):
    """What is stored of the run that waits, and whose it is."""
    user = chat.http.post("/chatkit/session").json()["user"]["id"]
    value, version = asyncio.run(records_of(thread).get("approval", RequestContext(user_id=user)))
    return value, version, user


@pytest.mark.parametrize("model_api", ["chat_completions", "responses"])
def test_an_approved_call_runs_in_another_environment_and_the_answer_goes_on(ada, elsewhere, model):
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(ada.create("Send Bob 5"))
    assert "Send money" in shown(ada, card)
    assert "approval.decide" in shown(ada, card)
    assert (careful.DONE, len(model.requests)) == ([], 1)
    events = press(elsewhere(ada), card)
    assert text_of(events) == "It is sent."
    assert careful.DONE == [("send_money", "Bob", 5)]
    assert "has sent 5 to Bob" in told(model.requests[1])
    assert "You approved this." in shown(ada, card)
    assert "approval.decide" not in shown(ada, card)
    assert [item["type"] for item in ada.items(card["thread_id"])] == [
        "user_message",
        "widget",
        "assistant_message",
    ]


def test_the_model_gets_the_calls_before_and_after_an_approval_once_in_the_next_turn(ada, model):
    model.script = [Call("send_money", PAY), Call("delete_file", {"name": "a"}), Say("Both.")]
    [card] = cards(ada.create("Send, then delete"))
    [next_card] = cards(press(ada, card))
    press(ada, next_card)
    ada.say(card["thread_id"], "Sure?")
    messages = model.requests[-1]["messages"]
    calls = [call["function"]["name"] for each in messages for call in each.get("tool_calls", ())]
    assert calls == ["send_money", "delete_file"]


def test_a_declined_call_of_a_tool_of_the_sdk_does_not_run_and_the_model_is_told(ada, model):
    model.script = [Call("delete_file", {"name": "a.txt"}), Say("I left it.")]
    [card] = cards(ada.create("Delete it"))
    assert text_of(press(ada, card, approve=False)) == "I left it."
    assert careful.DONE == []
    assert approvals.DECLINED in told(model.requests[1])
    assert "You declined this." in shown(ada, card)


def test_of_two_presses_at_once_one_runs_and_the_other_reads_that_it_was_decided(
    ada, elsewhere, model, monkeypatch
):
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(ada.create("Send Bob 5"))
    both_have_read, read, get = threading.Barrier(2), [], Records.get

    async def get_at_once(self, kind, context):
        found = await get(self, kind, context)
        read.append(kind)
        if len(read) <= 2:
            both_have_read.wait(timeout=10)  # each environment has a thread of its own
        return found

    monkeypatch.setattr(Records, "get", get_at_once)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda chat: press(chat, card), (ada, elsewhere(ada))))
    assert sorted(map(errors, both)) == [[], [approvals.DECIDED]]
    assert sorted(map(text_of, both)) == ["", "It is sent."]
    assert careful.DONE == [("send_money", "Bob", 5)]
    late = press(ada, card, approve=False)
    assert errors(late) == [approvals.DECIDED]
    assert "You approved this." in shown(ada, card)


def test_a_press_that_is_sent_again_runs_once_and_gets_the_answer_again(ada, model):
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(ada.create("Send Bob 5"))
    run = {"x-chatkit-run-id": "press-1"}
    press(ada, card, headers=run)
    again = press(ada, card, headers=run)
    assert errors(again) == []
    assert "It is sent." in json.dumps(again)
    assert careful.DONE == [("send_money", "Bob", 5)]


def test_stop_after_a_press_keeps_the_partial_answer(ada, model, actions):
    gate = threading.Event()
    model.script = [Call("send_money", PAY), Say("one two three", gate=gate)]
    [card] = cards(ada.create("Send Bob 5"))
    action = {"type": "approval.decide", "payload": {"approve": True}}
    place = {"thread_id": card["thread_id"], "item_id": card["id"]}
    run = {"x-chatkit-run-id": "press-2"}
    with ada.open("threads.custom_action", run, action=action, **place) as events:
        next(event for event in events if text_of([event]))
        ada.http.post(f"{actions}/actions/cancel", json={"run_id": "press-2"})
        list(events)
    [answer] = [i for i in ada.items(card["thread_id"]) if i["type"] == "assistant_message"]
    assert answer["content"][0]["text"] == "one two "


def test_the_run_goes_on_when_the_last_of_several_calls_is_decided(ada, model):
    model.script = [
        Calls(Call("send_money", PAY), Call("send_money", {"to": "Eve", "amount": 7})),
        Say("Bob only."),
    ]
    first, second = cards(ada.create("Send both"))
    events = press(ada, second, approve=False)
    assert (text_of(events), errors(events), len(model.requests)) == ("", [], 1)
    assert text_of(press(ada, first)) == "Bob only."
    assert careful.DONE == [("send_money", "Bob", 5)]
    assert "You declined this." in shown(ada, second)


def test_a_run_that_goes_on_may_wait_again(ada, model):
    model.script = [Call("send_money", PAY), Call("delete_file", {"name": "a"}), Say("Both.")]
    [card] = cards(ada.create("Send, then delete"))
    [next_card] = cards(press(ada, card))
    assert text_of(press(ada, next_card)) == "Both."
    assert careful.DONE == [("send_money", "Bob", 5), ("delete_file", "a")]


def test_a_tool_of_an_agent_that_is_a_tool_waits_too(ada, elsewhere, model):
    model.script = [
        Call("ask_clerk", {"input": "Delete a"}),
        Call("delete_file", {"name": "a"}),
        Say("I have deleted it."),
        Say("The clerk has deleted it."),
    ]
    [card] = cards(ada.create("Have a deleted"))
    assert "Delete file" in shown(ada, card)
    assert text_of(press(elsewhere(ada), card)) == "The clerk has deleted it."
    assert careful.DONE == [("delete_file", "a")]


def test_a_tool_of_an_mcp_server_waits_too(ada, elsewhere, model, monkeypatch):
    monkeypatch.setattr(careful.assistant, "servers", [careful.shop()])
    model.script = [Call("order", {"what": "tea"}), Say("Ordered.")]
    [card] = cards(ada.create("Order tea"))
    assert "tea" in shown(ada, card)
    assert text_of(press(elsewhere(ada), card)) == "Ordered."
    assert careful.DONE == [("order", {"what": "tea"})]
    assert "It is ordered." in told(model.requests[1])


def test_a_new_message_withdraws_the_call_and_the_model_is_told_so(ada, model):
    model.script = [Call("send_money", PAY), Say("All right.")]
    [card] = cards(ada.create("Send Bob 5"))
    events = ada.say(card["thread_id"], "No, wait")
    assert text_of(events) == "All right."
    assert any(e["type"] == "thread.item.updated" and e["item_id"] == card["id"] for e in events)
    assert "You wrote something else instead. It was not done." in told(model.requests[1])
    assert errors(press(ada, card)) == [approvals.DECIDED]
    assert careful.DONE == []
    assert kept(ada, card["thread_id"])[0]["state"] is None


def test_what_is_stored_has_the_conversation_and_nothing_of_the_request(ada, model):
    model.script = [Call("send_money", PAY)]
    [card] = cards(ada.create("Send Bob 5", {"x-chatkit-page-title": "A secret page"}))
    value, _, user = kept(ada, card["thread_id"])
    state = kept_run.unpacked(value["state"])
    assert state["context"]["context"] == {}
    text = json.dumps(state)
    assert "Send Bob 5" in text
    secrets = [user, *ada.http.cookies.values()]
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize(
    "change", [{"$schemaVersion": "99.0"}, {"current_agent": {"name": "Nobody"}}]
)
def test_a_state_that_cannot_be_read_any_more_has_expired(ada, model, change):
    model.script = [Call("send_money", PAY)]
    [card] = cards(ada.create("Send Bob 5"))
    value, version, user = kept(ada, card["thread_id"])
    value["state"] = kept_run.packed({**kept_run.unpacked(value["state"]), **change})
    stored = records_of(card["thread_id"])
    asyncio.run(stored.put("approval", value, RequestContext(user_id=user), version=version))
    events = press(ada, card)
    assert errors(events) == [approvals.EXPIRED]
    assert "This has expired." in shown(ada, card)
    assert careful.DONE == []
    assert errors(press(ada, card)) == [approvals.DECIDED]


def test_a_run_of_an_agent_that_is_not_there_any_more_has_expired(ada, model, monkeypatch):
    model.script = [Call("send_money", PAY)]
    [card] = cards(ada.create("Send Bob 5"))
    monkeypatch.setattr(careful.assistant, "name", "Renamed")
    assert errors(press(ada, card)) == [approvals.EXPIRED]
    assert (len(model.requests), careful.DONE) == (1, [])


def test_a_card_says_that_nothing_was_done_when_the_assistant_makes_no_agent(
    ada, model, monkeypatch
):
    model.script = [Call("send_money", PAY)]
    [card] = cards(ada.create("Send Bob 5"))

    def fail(_):
        raise RuntimeError

    monkeypatch.setattr(careful.assistant, "agent_for", fail)
    press(ada, card)
    assert "This has expired. It was not done." in shown(ada, card)
    assert careful.DONE == []


def test_a_page_without_actions_of_widgets_is_told_that_it_cannot_approve(ada, model):
    model.script = [Call("delete_file", {"name": "a.txt"})]
    events = ada.create("Delete it", {"x-chatkit-page-can": "client_tools"})
    assert errors(events) == [approvals.NO_CARDS]
    assert cards(events) == []


def test_the_visitor_is_told_that_a_run_is_too_large_to_be_kept(ada, model, monkeypatch):
    monkeypatch.setattr(records, "MAX_BYTES", 1_000)
    model.script = [Call("send_money", PAY)]
    events = ada.create("Send Bob 5")
    assert errors(events) == [approvals.TOO_LARGE]
    assert cards(events) == []


def test_files_and_long_outputs_are_left_out_of_a_run_that_is_too_large():
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    content = [{"type": "input_text", "text": "See"}, image]
    raw = {"type": "function_call_output", "call_id": "c", "output": "long " * 500}
    item = {"type": "tool_call_output_item", "raw_item": raw, "output": raw["output"]}
    state = {"original_input": [{"role": "user", "content": content}], "generated_items": [item]}
    short = kept_run.shortened(state, 100)
    [message], [output] = short["original_input"], short["generated_items"]
    assert [part["type"] for part in message["content"]] == ["input_text", "input_text"]
    assert output["output"] == output["raw_item"]["output"]
    assert len(output["output"]) < 500
    assert output["raw_item"]["call_id"] == "c"


def test_a_run_goes_on_with_the_model_that_the_visitor_picked(ada, model):
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(ada.create("Send Bob 5", inference_options={"model": "other"}))
    press(ada, card)
    assert [request["model"] for request in model.requests] == ["other", "other"]


@pytest.mark.parametrize("model_api", ["responses"])
def test_the_tokens_before_a_press_are_not_logged_again(ada, model, caplog):
    caplog.set_level(logging.INFO, "functions.run_log")
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(ada.create("Send Bob 5"))
    press(ada, card)
    logged = [record.input_tokens for record in caplog.records if hasattr(record, "input_tokens")]
    assert logged == [10, 10]


def test_a_press_counts_as_no_message(limited, model):
    chat = Chat(limited({"person": {"messages_per_day": 1}, "stage": {"messages_per_day": 9}}))
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(chat.create("Send Bob 5"))
    assert text_of(press(chat, card)) == "It is sent."


def test_an_approved_call_has_run_once_when_the_model_fails_after_it(ada, model):
    model.script = [Call("send_money", PAY), Fail(400)]
    [card] = cards(ada.create("Send Bob 5"))
    assert len(errors(press(ada, card))) == 1
    assert errors(press(ada, card)) == [approvals.DECIDED]
    assert careful.DONE == [("send_money", "Bob", 5)]


def test_a_foreign_card_is_not_found(ada, bob, model):
    model.script = [Call("send_money", PAY)]
    [card] = cards(ada.create("Send Bob 5"))
    answer = bob.post(
        "threads.custom_action",
        thread_id=card["thread_id"],
        item_id=card["id"],
        action={"type": "approval.decide", "payload": {"approve": True}},
    )
    assert answer.status_code == 404


def test_deleting_the_conversation_deletes_the_state(ada, model):
    model.script = [Call("send_money", PAY)]
    thread = thread_of(ada.create("Send Bob 5"))

    def states():
        of_thread = [row["sk"]["S"] for row in rows() if thread in row["pk"]["S"]]
        return of_thread.count("REC#approval")

    assert states() == 1
    ada.read("threads.delete", thread_id=thread)
    assert states() == 0


def test_the_assistant_may_draw_the_card(ada, model, monkeypatch):
    seen = []

    def draw(_turn, approval):
        seen.append((approval.title, approval.rows(), approval.status))
        return approval.card()

    monkeypatch.setattr(careful.assistant, "approval_card", draw)
    model.script = [Call("send_money", PAY), Say("It is sent.")]
    [card] = cards(ada.create("Send Bob 5"))
    press(ada, card)
    rows = [("to", "Bob"), ("amount", "5")]
    assert seen == [("Send money", rows, "waiting"), ("Send money", rows, "approved")]


def test_the_offline_demo_waits_for_approval_too(offline):
    [card] = cards(offline.create("Please send it"))
    events = press(offline, card)
    assert errors(events) == []
    assert text_of(events)
    assert careful.DONE == [("send_money", "Bob", 5)]
