"""Answers at one time: one stream repeats a request that is sent again, and a person has N."""

import threading

from tests.support.chat import Chat, message, thread_of
from tests.support.limited import RUN, at_once, counted, says
from tests.support.openai_server import Say


def test_a_repeated_request_is_answered_over_the_limit_and_counts_once(limited):
    chat = Chat(limited({"person": {"messages_per_minute": 1}, "stage": {"messages_per_day": 9}}))
    chat.http.post("/chatkit/session")
    first = chat.create("hi", RUN)
    again = chat.create("hi", RUN)
    assert thread_of(again) == thread_of(first)
    assert counted() == {"messages_per_day": 1}


def test_a_repeated_request_counts_as_a_request(limited):
    chat = Chat(limited({"person": {"requests_per_minute": 4}}))
    statuses = [
        chat.post("threads.create", RUN, input=message("hi")).headers.get("x-chatkit-running")
        for _ in range(12)
    ]
    assert statuses.count(None) < 12


def test_one_replay_is_streamed_and_others_are_told_that_the_answer_is_running(limited, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    chat = Chat(limited({"person": {"answers_at_once": 9}}))
    chat.http.post("/chatkit/session")
    with chat.open("threads.create", RUN, input=message("Count")) as events:
        thread = next(e["thread"]["id"] for e in events if e["type"] == "thread.created")
        next(e for e in events if e["type"] == "thread.item.updated")
        with chat.open("threads.create", RUN, input=message("Count")) as replayed:
            others = at_once(8, lambda _: chat.post("threads.create", RUN, input=message("Count")))
            gate.set()
            items = [event for event in replayed if event["type"] == "thread.item.done"]
        list(events)
    for other in others:
        assert other.status_code == 200
        assert other.headers["content-type"].startswith("text/event-stream")
        assert other.headers["x-chatkit-running"].split()[0] == "again"
        assert other.text.count("data:") == 1
        assert thread in other.text  # which the page fetches until the answer is there
    assert items[-1]["item"]["content"][0]["text"] == "one two three"
    assert len(model.requests) == 1
    assert counted("Q#") == {"answers_at_once": 0}
    # Once the first replay has ended, there may be another one.
    assert thread_of(chat.create("Count", RUN)) == thread


def test_so_many_answers_of_one_person_are_streamed_at_one_time(limited, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    url = limited({"person": {"answers_at_once": 2}})
    chat, other = Chat(url), Chat(url)
    chat.http.post("/chatkit/session")

    def say(_):
        answer = says(chat)
        if answer.status_code == 429:
            gate.set()  # the two that run may end
        return answer

    answers = at_once(3, say)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429]
    (refused,) = [answer for answer in answers if answer.status_code == 429]
    assert "still being written" in refused.json()["message"]
    assert int(refused.headers["retry-after"]) == 5
    assert says(chat).status_code == 200
    assert says(other).status_code == 200
    assert counted("Q#") == {"answers_at_once": 0}
