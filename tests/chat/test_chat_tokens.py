"""The tokens of an answer: reserved before each call of the model, counted as reported."""

import threading

import pytest

from functions.limits.answer_use import AnswerUse
from tests.support.chat import Chat, message, text_of, thread_of
from tests.support.limited import RUN, used
from tests.support.openai_server import Call, Fail, Say

TOKENS = {"person": {"input_tokens_per_day": 100_000, "output_tokens_per_day": 50_000},
          "newcomers": 1}  # fmt: skip


@pytest.fixture(params=["responses", "chat_completions"])
def api(request):
    return request.param


def test_what_the_provider_reports_is_counted_titles_too(limited, model):
    chat = Chat(limited(TOKENS, model_api="responses"))
    chat.create("hi")
    calls = 2  # the answer and the title, of which the test's model reports 10 and 5 tokens each
    assert used(chat) == {"input_tokens_per_day": 10 * calls, "output_tokens_per_day": 5 * calls}


def test_an_answer_that_is_stopped_counts_what_was_sent_and_what_came(limited, model):
    chat = Chat(limited(TOKENS))
    actions = limited(TOKENS, actions=True)
    words = "word " * 400
    model.script = [Say(words + "end", gate=threading.Event())]
    with chat.open("threads.create", RUN, input=message("Count")) as events:
        seen = 0
        for event in events:
            seen += event["type"] == "thread.item.updated" and "delta" in event["update"]
            if seen == 400:
                break
        chat.http.post(f"{actions}/actions/cancel", json={"run_id": "again"})
        list(events)
    assert 500 <= used(chat)["output_tokens_per_day"] <= 530
    assert 50 <= used(chat)["input_tokens_per_day"] <= 5_000


def test_a_title_takes_nothing_of_what_is_reserved_for_the_answer(limited, model, monkeypatch):
    asked = []
    begin = AnswerUse.begin_call

    async def noted(self, *use, **more):
        missing = self._reserved
        call = await begin(self, *use, **more)
        asked.append(self._reserved == missing)
        return call

    monkeypatch.setattr(AnswerUse, "begin_call", noted)
    Chat(limited(TOKENS)).create("hi")
    assert asked == [True, False]  # the answer needs nothing more, and the title comes after it


def test_a_provider_that_refuses_costs_no_tokens(limited, model):

    chat = Chat(limited(TOKENS))
    model.script = [Fail(401, "no")]
    chat.create("hi")
    assert used(chat)["output_tokens_per_day"] <= 10  # a title may have been made


def test_the_reservation_of_a_long_conversation_shrinks_to_what_it_is(limited, model):
    url = limited({"person": {"input_tokens_per_day": 12_000}, "newcomers": 1})
    chat = Chat(url)
    thread = thread_of(chat.create("hi"))
    # 32,000 tokens of history would be too much, but this conversation has few.
    assert text_of(chat.say(thread, "and?"))
    assert (
        chat.post(
            "threads.add_user_message", thread_id=thread, input=message("x" * 60_000)
        ).status_code
        == 413
    )


def test_a_limit_that_is_reached_between_two_calls_of_the_model_ends_the_answer_in_words(
    limited, model
):
    model.script = [Call("say_hello", {"name": "x" * 12_000})] * 9
    url = limited({"person": {"input_tokens_per_day": 8_000}, "newcomers": 1})
    chat = Chat(url)
    events = chat.create("hi")
    assert [event["type"] for event in events][-1] == "error"
    assert "today" in events[-1]["message"]
    assert 1 <= len(model.requests) < 9


def test_the_longest_answer_is_told_to_the_model(limited, model, api):
    chat = Chat(limited(TOKENS, model_api=api, answer_tokens=1_234))
    chat.create("hi")
    (sent,) = model.requests
    if api == "responses":
        assert sent["max_output_tokens"] == 1_234
    else:
        assert sent["max_tokens"] == 1_234
    assert "stream_options" not in sent  # some servers refuse it


def test_nothing_is_told_to_the_model_without_limits(limited, model, api):
    Chat(limited({}, model_api=api)).create("hi")
    (sent,) = model.requests
    assert {"max_tokens", "max_output_tokens", "stream_options"}.isdisjoint(sent)
