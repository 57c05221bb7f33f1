"""A budget that is used up stops answers and nothing else, until more is allowed."""

import asyncio
import json
import logging

import pytest

from functions.limit_table import Price
from functions.limits.budget import Budget
from functions.settings import Settings
from functions.store.table import Table
from tests.support.chat import message, text_of, thread_of
from tests.support.cloud import own_cloud
from tests.support.openai_server import Call, Say

DOLLARS = 4.0
NOTICE = (
    "This chat has used up its budget for today. Your conversations are still here. "
    "Please come back tomorrow."
)


@pytest.fixture
def cloud(monkeypatch):
    """A table for each test, because the budget is the whole table's."""
    own = {"CHATKIT_COOKIE_KEY": "k" * 32, "CHATKIT_ASSISTANT": "tests.assistants.sample"}
    with own_cloud(monkeypatch, **own):
        yield


@pytest.fixture
def app_settings(cloud, model_url):
    """A call reserves $1.60 (16 tokens) and costs $0.50 (the 5 that the server reports)."""
    return Settings(
        _env_file=None,
        openai_base_url=model_url,
        model="test",
        model_api="responses",
        answer_tokens=16,
        prices={"test": {"input": 0, "output": 100_000}},
        limits={"stage": {"dollars_per_day": DOLLARS}, "kept_share": 0},
    )


@pytest.fixture
def budget(app_settings):
    return Budget(Table(app_settings.table, nobodys=True), DOLLARS, 1)


@pytest.fixture
def refusals(caplog):
    """`refusals()`: how many the log has counted, and no other error."""
    caplog.set_level(logging.ERROR)

    def count():
        errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
        return sum(record.budget_refusals for record in errors)

    return count


def today(budget):
    return asyncio.run(budget.today())


@pytest.fixture
def used_up(ada):
    """A thread of the day's last answers: the title and four answers cost $2.50."""
    thread = thread_of(ada.create("one"))
    for text in ("two", "three", "four"):
        ada.say(thread, text)
    return thread


def over(answer):
    assert answer.status_code == 429
    assert answer.json()["message"] == NOTICE
    assert 1 <= int(answer.headers["retry-after"]) <= 86_400
    assert answer.headers["content-type"] == "application/json"


def test_a_message_over_the_budget_is_refused_politely_and_writes_nothing(
    ada, bob, budget, used_up, refusals
):
    items, day = ada.items(used_up), today(budget)
    assert (day.cost, day.held) == (2.5, 0)
    over(ada.post("threads.add_user_message", thread_id=used_up, input=message("five")))
    over(bob.post("threads.create", input=message("one")))
    over(ada.post("threads.retry_after_item", thread_id=used_up, item_id=items[0]["id"]))
    assert refusals() == 3
    assert ada.items(used_up) == items
    assert bob.read("threads.list")["data"] == []
    assert today(budget) == day


def test_history_names_feedback_and_deletes_go_on_while_no_model_is_called(ada, used_up, model):
    asked = len(model.requests)
    over(ada.post("threads.create", input=message("hello")))
    assert len(model.requests) == asked
    assert [thread["id"] for thread in ada.read("threads.list")["data"]] == [used_up]
    last = ada.items(used_up)[-1]
    assert last["content"][0]["text"] == "Hello from the test model."
    ada.read("threads.get_by_id", thread_id=used_up)
    ada.read("threads.update", thread_id=used_up, title="Mine")
    ada.read("items.feedback", thread_id=used_up, item_ids=[last["id"]], kind="positive")
    assert ada.http.post("/chatkit/session").status_code == 200
    assert ada.http.get("/chatkit/usage").status_code == 200
    ada.read("threads.delete", thread_id=used_up)
    assert ada.read("threads.list")["data"] == []


def test_more_for_today_lets_the_next_message_be_answered_at_once(ada, budget, used_up):
    over(ada.post("threads.add_user_message", thread_id=used_up, input=message("five")))
    asyncio.run(budget.allow(today(budget), 0.5))
    assert text_of(ada.say(used_up, "five")) == "Hello from the test model."
    over(ada.post("threads.add_user_message", thread_id=used_up, input=message("six")))
    day = today(budget)
    assert (day.allowed, day.cost, day.left) == (0.5, 3, 1.5)


def test_an_answer_that_reaches_the_budget_between_two_calls_ends_with_the_notice(
    ada, model, budget, refusals
):
    thread = thread_of(ada.create("one"))
    model.script, model._answered = [Call("add", {"a": 1, "b": 2})] * 9 + [Say("Done.")], 0
    model.requests.clear()
    events = ada.say(thread, "add and add")
    assert events[-1]["type"] == "error"
    assert events[-1]["message"] == NOTICE
    assert not events[-1].get("allow_retry")
    assert len(model.requests) == 3
    assert refusals() == 1
    assert "add and add" in json.dumps(ada.items(thread))
    assert (today(budget).cost, today(budget).held) == (2.5, 0)
    over(ada.post("threads.add_user_message", thread_id=thread, input=message("more")))


class TestWithADearModel:
    """The longest conversation would reserve $4.32, and a short one $0.48."""

    @pytest.fixture
    def app_settings(self, app_settings):
        prices = {"test": Price(input=120, output=0)}
        return app_settings.model_copy(update={"prices": prices})

    def test_a_short_conversation_is_answered_and_logs_no_refusal(self, ada, refusals):
        thread = thread_of(ada.create("one"))
        assert text_of(ada.say(thread, "two")) == "Hello from the test model."
        assert refusals() == 0
