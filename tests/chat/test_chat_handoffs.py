"""Several agents in one conversation: hand-overs, agents as tools, and who speaks, over HTTP."""

import httpx2
import pytest

from tests.assistants.desk import notes
from tests.chat.test_chat_approvals import cards, press
from tests.support.chat import Chat, message, text_of, thread_of
from tests.support.dialects import DialectServer, chunks
from tests.support.openai_server import Call, Fail, Say

TO_BILLING, TO_TRIAGE = Call("transfer_to_billing"), Call("transfer_to_triage")
BILLING_SPEAKS, TRIAGE_SPEAKS = "Billing has taken over", "Triage has taken over"


@pytest.fixture
def model():
    return DialectServer()


@pytest.fixture
def model_api():
    return "chat_completions"


@pytest.fixture
def assistant():
    return "desk"


@pytest.fixture
def app_settings(app_settings, assistant, model_api):
    return app_settings.model_copy(
        update={"assistant": f"tests.assistants.{assistant}", "model_api": model_api}
    )


@pytest.fixture(autouse=True)
def fresh():
    notes.titles, notes.stopped = 0, False


def shown(items):
    """Each item of the assistant's as one text, in order."""
    return [
        item["task"]["title"] if item["type"] == "task" else item["content"][0]["text"]
        for item in items
        if item["type"] in {"task", "assistant_message"}
    ]


def who(request):
    """The instructions of the agent that sent a request."""
    return request.get("instructions") or request["messages"][0]["content"]


def told(request):
    return str(request.get("input") or request["messages"])


def test_the_page_is_told_who_takes_over_before_the_second_agent_speaks(ada, model):
    model.script = [TO_BILLING, Say("Here is your bill.")]
    events = ada.create("My bill, please")
    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    assert shown(done) == [BILLING_SPEAKS, "Here is your bill."]
    kinds = [event["item"]["type"] for event in events if event["type"] == "thread.item.added"]
    assert kinds == ["assistant_message"]
    first_word = next(n for n, e in enumerate(events) if "delta" in e.get("update", {}))
    line = next(n for n, e in enumerate(events) if e.get("item", {}).get("type") == "task")
    assert line < first_word
    assert shown(ada.items(thread_of(events))) == [BILLING_SPEAKS, "Here is your bill."]


def test_a_hand_over_in_mid_answer_comes_between_the_words_of_both_agents(ada, model):
    transfer = {"name": "transfer_to_billing", "arguments": "{}"}
    call = {"index": 0, "id": "call_1", "type": "function", "function": transfer}
    first = chunks(
        {"role": "assistant", "reasoning_content": "Who knows?"},
        {"content": "One moment."},
        {"tool_calls": [call]},
        finish="tool_calls",
    )
    model.script = [first, Say("Here is your bill.")]
    events = ada.create("My bill, please")
    items = ada.items(thread_of(events))
    assert [item["type"] for item in items] == [
        "user_message", "workflow", "assistant_message", "task", "assistant_message",
    ]  # fmt: skip
    assert shown(items) == ["One moment.", BILLING_SPEAKS, "Here is your bill."]
    assert len({item["id"] for item in items}) == 5
    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    assert [item["id"] for item in done] == [item["id"] for item in items]


def test_each_agents_messages_have_ids_and_places_of_their_own(ada, model):
    model.script = [TO_BILLING, TO_TRIAGE, Say("Hello again.")]
    events = ada.create("Hello")
    model.script = [*model.script, TO_BILLING, Say("Your bill.")]
    events += ada.say(thread_of(events), "My bill")
    items = ada.items(thread_of(events))
    assert shown(items) == [BILLING_SPEAKS, TRIAGE_SPEAKS, "Hello again.", BILLING_SPEAKS,
                            "Your bill."]  # fmt: skip
    assert len({item["id"] for item in items}) == len(items)


def test_the_agent_that_took_over_answers_the_next_message_too_and_is_not_named_again(ada, model):
    model.script = [TO_BILLING, Say("Your bill."), Say("It is due in May.")]
    thread = thread_of(ada.create("My bill"))
    events = ada.say(thread, "When is it due?")
    assert text_of(events) == "It is due in May."
    assert "You do the bills." in who(model.requests[-1])
    assert shown(ada.items(thread)) == [BILLING_SPEAKS, "Your bill.", "It is due in May."]


def test_the_line_that_names_the_agent_is_not_sent_to_a_model_as_words_of_the_assistant(ada, model):
    model.script = [TO_BILLING, Say("Your bill."), Say("In May.")]
    thread = thread_of(ada.create("My bill"))
    ada.say(thread, "When?")
    assert "taken over" not in told(model.requests[-1])
    assert "Your bill." in told(model.requests[-1])


def test_a_first_agent_that_takes_over_again_is_named(ada, model):
    model.script = [TO_BILLING, Say("Your bill."), TO_TRIAGE, Say("Back."), Say("Still here.")]
    thread = thread_of(ada.create("My bill"))
    ada.say(thread, "Something else")
    ada.say(thread, "And?")
    assert shown(ada.items(thread)) == [
        BILLING_SPEAKS, "Your bill.", TRIAGE_SPEAKS, "Back.", "Still here.",
    ]  # fmt: skip


@pytest.mark.parametrize("assistant", ["news"])
def test_an_agent_that_answers_again_because_nothing_was_stored_is_named(ada, model):
    model.script = [Say("News."), Call("transfer_to_writer"), Say("Written."), Say("More news.")]
    thread = thread_of(ada.create("News?"))
    ada.say(thread, "Write it up")
    ada.say(thread, "And now?")
    assert shown(ada.items(thread)) == [
        "News.", "Writer has taken over", "Written.", "Newsroom has taken over", "More news.",
    ]  # fmt: skip


def test_a_tool_of_the_second_agent_can_end_the_turn(ada, model):
    model.script = [TO_BILLING, Call("close_case"), Say("never said")]
    events = ada.create("Close it")
    assert len(model.requests) == 2
    assert events[-1]["type"] != "error"
    assert [i["type"] for i in ada.items(thread_of(events))] == [
        "user_message", "task", "end_of_turn",
    ]  # fmt: skip


def test_a_tool_of_the_page_that_the_second_agent_calls_is_answered_by_that_agent(ada, model):
    model.script = [TO_BILLING, Call("open_invoice"), Say("It is open.")]
    thread = thread_of(ada.create("Open the invoice"))
    events = ada.stream("threads.add_client_tool_output", thread_id=thread, result={"opened": True})
    assert text_of(events) == "It is open."
    assert "You do the bills." in who(model.requests[-1])
    assert "opened" in told(model.requests[-1])


def test_an_agent_that_took_over_goes_on_after_an_approval_without_being_named_again(ada, model):
    model.script = [TO_BILLING, Call("refund"), Say("It is paid back.")]
    [card] = cards(ada.create("Pay me back"))
    events = press(ada, card)
    assert text_of(events) == "It is paid back."
    assert "You do the bills." in who(model.requests[-1])
    assert shown(ada.items(card["thread_id"])) == [BILLING_SPEAKS, "It is paid back."]


def test_a_hand_over_that_is_tried_again_goes_on_with_the_agent_that_took_over(ada, model):
    model.script = [TO_BILLING, Fail(400, "bad"), Say("Your bill.")]
    events = ada.create("My bill")
    assert events[-1]["type"] == "error"
    thread = thread_of(events)
    asked = ada.items(thread)[0]["id"]
    ada.stream("threads.retry_after_item", thread_id=thread, item_id=asked)
    assert "You do the bills." in who(model.requests[-1])
    assert shown(ada.items(thread)) == ["Your bill."]


def test_an_answer_that_is_only_a_hand_over_is_an_error(ada, model):
    model.script = [TO_BILLING, Say("")]
    error = ada.create("My bill")[-1]
    assert error["message"].startswith("The model answered nothing at all. (run ")
    assert error["allow_retry"]


def test_an_agent_as_a_tool_shows_nothing_but_its_progress(ada, model):
    model.script = [
        Call("research", {"input": "order 7"}), Call("dig", {"deep": False}),
        Say("What the researcher found"), Say("You paid twice."),
    ]  # fmt: skip
    events = ada.create("What about order 7?")
    assert [e["text"] for e in events if e["type"] == "progress_update"] == ["Digging"]
    assert text_of(events) == "You paid twice."
    assert shown(ada.items(thread_of(events))) == ["You paid twice."]
    assert [who(request) for request in model.requests] == [
        "You find out who can help.", "You research.", "You research.",
        "You find out who can help.",
    ]  # fmt: skip
    assert "What the researcher found" in told(model.requests[-1])


@pytest.mark.parametrize("model_api", ["responses"])  # it reports tokens of streams, too
def test_the_tokens_of_all_agents_count(limited, model):
    chat = Chat(limited({"person": {"output_tokens_per_day": 1_000_000}}))
    model.script = [
        Call("research", {"input": "x"}), Say("found"), TO_BILLING, Say("done"),
    ]  # fmt: skip
    chat.create("Hello")
    (limit,) = chat.http.get("/chatkit/usage").json()["limits"]
    assert limit["used"] == 4 * 5


def test_the_title_is_made_once(ada, model):
    model.script = [TO_BILLING, TO_TRIAGE, Say("Hello.")]
    thread = thread_of(ada.create("A title of its own"))
    assert ada.read("threads.get_by_id", thread_id=thread)["title"] == "A title of its own"
    assert notes.titles == 1


def test_stop_ends_an_agent_that_works_as_a_tool(ada, model, actions):
    model.script = [Call("research", {"input": "x"}), Call("dig", {"deep": True})]
    run = "run-of-research"
    seen = []
    with ada.open("threads.create", {"x-chatkit-run-id": run}, input=message("Dig")) as events:
        for event in events:
            seen.append(event)
            if event["type"] == "progress_update" and event["text"] == "Digging":
                assert httpx2.post(
                    f"{actions}/actions/cancel",
                    json={"run_id": run},
                    cookies=dict(ada.http.cookies),
                ).json() == {"cancelled": True}
    assert notes.stopped
    assert len(model.requests) == 2
    assert text_of(seen) == ""
