"""What an assistant says by the contract of `functions.toolkit`, over real HTTP."""

import json
import threading
from dataclasses import replace

import httpx2
import pytest

from functions.actions.app import create_app as create_actions
from functions.chat import answer
from functions.chat.app import create_app
from functions.services import Services, load_assistant
from functions.store import Runs
from functions.toolkit import Assistant
from tests.assistants.rules import Rules
from tests.support.chat import Chat, message, text_of, thread_of
from tests.support.openai_server import Call, Say
from tests.support.served import served


@pytest.fixture
def app_settings(app_settings, assistant):
    return app_settings.model_copy(update={"assistant": f"tests.assistants.{assistant}"})


def roles(request):
    return [message["role"] for message in request["messages"]]


@pytest.mark.parametrize("assistant", ["minimal"])
class TestTheSmallestAssistantIsAnAgent:
    def test_it_answers_with_the_tools_of_the_agents_sdk(self, ada, model):
        model.script = [Call("lucky_number"), Say("It is 7.")]
        assert text_of(ada.create("My number?")) == "It is 7."
        first, second = model.requests
        assert first["messages"][0]["content"] == "You are minimal."
        assert "7" in second["messages"][-1]["content"]

    def test_its_model_gets_no_settings_of_another_model(self, ada, model):
        ada.create("Hello")
        assert not {"reasoning_effort", "verbosity"} & model.requests[0].keys()

    def test_its_conversations_are_named_after_their_first_words(self, ada, model):
        thread = thread_of(ada.create("Where is my   parcel?"))
        assert ada.read("threads.get_by_id", thread_id=thread)["title"] == "Where is my parcel?"


@pytest.mark.parametrize("assistant", ["rules"])
class TestAnAnswerWithoutTheAgentsSdk:
    def test_it_is_shown_and_kept_with_its_citation_and_ids_of_its_own(self, ada):
        first = ada.create("Where is it?")
        thread = thread_of(first)
        assert text_of(first) == "It is in the handbook. "
        assert [e["text"] for e in first if e["type"] == "progress_update"] == ["Looking it up"]
        ada.say(thread, "And that?")
        answers = [i for i in ada.items(thread) if i["type"] == "assistant_message"]
        assert [a["content"][0]["text"] for a in answers] == ["It is in the handbook."] * 2
        assert answers[0]["content"][0]["annotations"][0]["source"]["filename"] == "handbook.pdf"
        assert answers[0]["id"] != answers[1]["id"]

    def test_it_gets_the_history_and_can_turn_it_into_a_models_input(self, ada):
        thread = thread_of(ada.create("Hello"))
        assert text_of(ada.say(thread, "How many?")) == "You have said 2 things. "
        told = text_of(ada.say(thread, "What is sent?"))
        assert told == "user | assistant | user | assistant | user "

    def test_what_there_is_of_it_is_kept_when_it_breaks(self, ada):
        events = ada.create("Break")
        assert events[-1]["type"] == "error"
        items = ada.items(thread_of(events))
        assert items[-1]["content"][0]["text"] == "It was going so "

    def test_stop_ends_it_and_keeps_what_was_shown(self, ada, actions):
        with ada.open(
            "threads.create", {"x-chatkit-run-id": "run-of-rules"}, input=message("Slowly")
        ) as events:
            shown = []
            for event in events:
                shown.append(event)
                if text_of(shown) == "one two ":
                    break
            stopped = httpx2.post(
                f"{actions}/actions/cancel",
                json={"run_id": "run-of-rules"},
                cookies=dict(ada.http.cookies),
            )
            assert stopped.json() == {"cancelled": True}
            shown += events
        items = ada.items(thread_of(shown))
        assert items[-1]["content"][0]["text"] == "one two "

    def test_an_answer_with_nothing_in_it_can_be_tried_again(self, ada):
        events = ada.create("Nothing", {"x-chatkit-run-id": "run-1"})
        assert events[-1] == {
            "type": "error",
            "code": "custom",
            "message": "The model answered nothing at all. (run run-1)",
            "allow_retry": True,
        }

    def test_its_tokens_are_counted(self, limited):
        chat = Chat(limited({"person": {"input_tokens_per_day": 100_000}}))
        chat.create("Hello")
        (limit,) = chat.http.get("/chatkit/usage").json()["limits"]
        assert limit["used"] == 1_000

    def test_it_makes_the_title(self, ada):
        thread = thread_of(ada.create("Hello"))
        assert ada.read("threads.get_by_id", thread_id=thread)["title"] == "About Hello"


@pytest.mark.parametrize("assistant", ["cats"])
class TestTheStateOfAConversation:
    def test_tools_actions_and_routes_share_it(self, ada, model, actions):
        model.script = [Call("feed_cat"), Say("It purrs.")]
        events = ada.create("Feed it")
        thread = thread_of(events)
        (effect,) = [e for e in events if e["type"] == "client_effect"]
        assert effect["data"] == {"name": None, "energy": 7}
        second = Chat(actions)
        second.http.cookies = ada.http.cookies
        named = second.http.post(
            "/actions",
            json={
                "type": "threads.custom_action",
                "params": {
                    "thread_id": thread,
                    "action": {"type": "cat.name", "payload": {"name": "Tom"}},
                },
            },
        )
        assert named.status_code == 200, named.text
        assert ada.http.get(f"/chatkit/x/cats/{thread}").json() == {"name": "Tom", "energy": 7}
        assert second.http.get(f"/actions/x/cats/{thread}").json()["name"] == "Tom"
        ada.say(thread, "How is it?")
        assert model.requests[-1]["messages"][1]["content"] == "The cat has the energy 7."

    def test_it_is_nobody_elses(self, ada, bob, model):
        model.script = [Call("feed_cat"), Say("It purrs.")]
        thread = thread_of(ada.create("Feed it"))
        bob.create("Hello")
        assert bob.http.get(f"/chatkit/x/cats/{thread}").json()["energy"] == 5

    def test_an_error_of_a_route_is_an_answer_with_a_message(self, ada):
        answer = ada.http.get("/chatkit/x/cats/broken")
        assert answer.status_code == 422
        assert answer.json()["message"] == "This is no conversation."

    def test_calls_of_a_route_are_counted(self, limited):
        chat = Chat(limited({"person": {"requests_per_minute": 2}}))
        chat.http.post("/chatkit/session")
        # A new minute may begin once in between.
        codes = [chat.http.get("/chatkit/x/cats/thr_1").status_code for _ in range(5)]
        assert {200, 429} == set(codes)


@pytest.mark.parametrize("assistant", ["news"])
class TestWhatAnAgentRunsWith:
    def test_another_agent_answers_by_choice_with_a_model_of_its_own(self, ada, model):
        session = ada.http.post("/chatkit/session").json()
        assert session["tools"] == ["ask_page", "puzzles"]
        options = {"tool_choice": {"id": "puzzles"}}
        events = ada.create("A riddle", inference_options=options)
        request = model.requests[0]
        assert request["model"] == "small"
        assert request["messages"][0]["content"] == "You make puzzles. Be cheerful."
        assert [e["data"] for e in events if e["type"] == "client_effect"] == [{"by": "puzzles"}]

    def test_an_answer_that_waits_for_the_page_is_not_complete(self, ada, model):
        model.script = [Call("ask_page"), Say("The evening edition.")]
        events = ada.create("Which?")
        assert not [e for e in events if e["type"] == "client_effect"]
        thread = thread_of(events)
        rest = ada.stream("threads.add_client_tool_output", thread_id=thread, result="evening")
        assert [e["data"]["by"] for e in rest if e["type"] == "client_effect"] == ["newsroom"]

    def test_a_choice_that_is_not_on_the_menu_is_refused(self, ada):
        options = {"tool_choice": {"id": "obituaries"}}
        body = {"input": message("Who?", inference_options=options)}
        assert ada.post("threads.create", **body).status_code == 422

    def test_a_header_of_the_allow_list_reaches_the_agent(self, ada, model):
        headers = {"x-edition": "evening", "x-other": "no"}
        ada.create("News?", headers)
        own = model.requests[0]["messages"][0]["content"]
        assert own == "You tell the news of the evening edition. Be cheerful."

    def test_the_run_has_the_settings_of_the_agent_and_of_the_run(self, ada, model):
        ada.create("News?")
        assert model.requests[0]["temperature"] == 0.5
        assert model.requests[0]["top_p"] == 0.9

    def test_a_mention_is_told_by_the_converter_of_the_assistant(self, ada, model):
        tag = {
            "type": "input_tag", "id": "article_1", "text": "lighthouse", "data": {},
            "interactive": True,
        }  # fmt: skip
        ada.create("", content=[{"type": "input_text", "text": "Sum up "}, tag])
        assert "<ARTICLE>The lighthouse is lit again.</ARTICLE>" in json.dumps(model.requests[0])

    def test_hooks_see_a_hand_over(self, ada, model):
        model.script = [Call("transfer_to_writer"), Say("Written.")]
        events = ada.create("Write it up")
        assert text_of(events) == "Written."
        steps = [e["text"] for e in events if e["type"] == "progress_update"]
        assert "Newsroom asks Writer" in steps
        assert model.requests[1]["model"] == "small"

    def test_a_fault_after_the_answer_leaves_the_answer(self, ada, caplog):
        events = ada.create("Spoil it")
        assert text_of(events) == "Hello from the test model."
        assert "error" not in {e["type"] for e in events}
        assert "the assistant failed after the answer" in caplog.text

    def test_an_answer_that_may_not_be_stopped_goes_on(self, ada, model, actions, monkeypatch):
        asked = []
        monkeypatch.setattr(answer, "POLL_INTERVAL", 0.01)
        monkeypatch.setattr(Runs, "is_cancelled", lambda *about: asked.append(about))
        run = {"x-chatkit-run-id": "run-of-news"}
        gate = threading.Event()
        model.script = [Say("one two", gate=gate)]
        with ada.open("threads.create", run, input=message("Hello")) as events:
            shown = [next(events)]
            while shown[-1]["type"] != "stream_options":
                shown.append(next(events))
            assert shown[-1]["stream_options"] == {"allow_cancel": False}
            httpx2.post(
                f"{actions}/actions/cancel",
                json={"run_id": "run-of-news"},
                cookies=dict(ada.http.cookies),
            ).raise_for_status()
            gate.set()
            shown += events
        assert text_of(shown) == "one two"
        assert asked == []


def test_an_assistant_may_not_have_the_headers_that_open_the_app():
    for name in ("Authorization", "cookie", "x-chatkit-authorization", "X-Amz-Security-Token"):
        kind = type(
            "Greedy", (Assistant,), {"headers": (name,), "respond": lambda self, turn: None}
        )
        with pytest.raises(ValueError, match="opens this app"):
            kind()


def test_a_module_without_an_assistant_is_refused():
    with pytest.raises(ValueError, match="it has no `assistant`"):
        load_assistant("tests.support.chat")


@pytest.mark.parametrize("assistant", ["rules"])
def test_start_up_and_shut_down_run_once_with_the_streaming_function(app_settings):
    calls = []

    class Starting(Rules):
        async def start_up(self):
            calls.append("up")

        async def shut_down(self):
            calls.append("down")

    services = replace(Services.of(app_settings), assistant=Starting())
    with served(create_app(services=services)), served(create_actions(services=services)):
        assert calls == ["up"]
    assert calls == ["up", "down"]
