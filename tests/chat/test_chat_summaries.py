"""The beginning of a long conversation is summarised once, instead of being left out."""

import asyncio
import json
import re

import pytest

from functions.chat.guards import WITHHELD
from functions.limits.answer_use import AnswerUse
from functions.llm.length import tokens
from functions.store import Runs
from functions.toolkit import Assistant, Rules
from tests.assistants.sample import assistant
from tests.support.chat import text_of, thread_of
from tests.support.openai_server import Call, Fail, Say

TOKENS = 1_000
FILLER = "Some words about nothing in particular. " * 10
"""100 tokens."""


@pytest.fixture
def app_settings(app_settings):
    return app_settings.model_copy(update={"history_tokens": TOKENS})


@pytest.fixture
def model(model):
    """A model whose summaries keep the facts, as a good one does."""
    model.strict = True
    model.script = [Say("Noted.")]
    model.summary = lambda text: " ".join(dict.fromkeys(re.findall(r"fact-\d+", text)))
    return model


def talk(ada, turns):
    """A conversation in which each message has a fact, which the answer does not repeat."""
    thread = thread_of(ada.create(f"fact-1 {FILLER}"))
    for number in range(2, turns + 1):
        ada.say(thread, f"fact-{number} {FILLER}")
    return thread


def known(model):
    """The facts that the model got with the newest message."""
    return [*dict.fromkeys(re.findall(r"fact-\d+", json.dumps(model.requests[-1])))]


def test_a_conversation_of_40_turns_keeps_its_facts_within_the_budget(ada, model):
    thread = talk(ada, 40)
    assert known(model) == [f"fact-{number}" for number in range(1, 41)]
    assert '<data from=\\"a summary\\"' in json.dumps(model.requests[-1])
    assert max(tokens(request["messages"][1:]) for request in model.requests) <= TOKENS
    # Three eighths of the budget are the room for three or four messages.
    assert 8 <= len(model.summarised) <= 16
    assert "Assistant: Noted." in model.summarised[0]
    assert '<data from="the page"' not in "".join(model.summarised)
    shown = [ada.items(thread, limit=100), ada.read("threads.get_by_id", thread_id=thread)]
    assert "fact-1 fact-2" not in json.dumps(shown)


def test_the_newest_message_tried_again_keeps_the_summary_and_an_earlier_one_does_not(ada, model):
    model.summary = lambda _: "They spoke of fish."
    thread = thread_of(ada.create(f"fact-1 {FILLER}"))
    for number in range(2, 20):
        if not model.summarised:
            ada.say(thread, f"fact-{number} {FILLER}")
    messages = [item["id"] for item in ada.items(thread) if item["type"] == "user_message"]
    ada.stream("threads.retry_after_item", thread_id=thread, item_id=messages[-1])
    assert "They spoke of fish." in json.dumps(model.requests[-1])
    ada.stream("threads.retry_after_item", thread_id=thread, item_id=messages[2])
    assert "They spoke of fish." not in json.dumps(model.requests[-1])
    assert known(model) == ["fact-1", "fact-2", "fact-3"]


def test_a_summary_that_outlasts_its_answer_is_waited_for_and_counted(ada, model, monkeypatch):
    order, ended = [], asyncio.Event()
    finish, settle = Runs.finish, AnswerUse.settle

    async def summary(*_):
        ended.clear()
        await ended.wait()
        order.append("summary")
        return "They spoke of fish."

    async def finish_run(*args):
        ended.set()
        await finish(*args)

    async def count(*args, **options):
        order.append("counted")
        await settle(*args, **options)

    monkeypatch.setattr(Assistant, "summary", summary)
    monkeypatch.setattr(Runs, "finish", finish_run)
    monkeypatch.setattr(AnswerUse, "settle", count)
    thread = thread_of(ada.create(FILLER))
    for _ in range(20):
        if "summary" not in order:
            ada.say(thread, FILLER)
    assert order[-3:] == ["counted", "summary", "counted"]
    ada.say(thread, FILLER)
    assert "They spoke of fish." in json.dumps(model.requests[-1])


def test_a_summary_that_fails_costs_the_answer_nothing_and_is_tried_again(ada, model, monkeypatch):
    failing, aside = [Fail(400), Fail(400)], model._aside

    def fail_first(body):
        answer = aside(body)
        return failing.pop() if failing and model.summarised and answer is not None else answer

    monkeypatch.setattr(model, "_aside", fail_first)
    thread = thread_of(ada.create(f"fact-1 {FILLER}"))
    for _ in range(11):
        assert text_of(ada.say(thread, FILLER)) == "Noted."
    assert not failing
    assert known(model) == ["fact-1"]


def test_an_output_that_a_guardrail_withholds_is_in_no_summary(ada, model, monkeypatch):
    secret = Rules(name="secret", on={"tools"}, patterns=["4711"])
    monkeypatch.setattr(assistant, "guardrails", (secret,))
    model.script = [Call("add", {"a": 4700, "b": 11}), Say("Noted.")]
    thread = thread_of(ada.create(FILLER))
    for _ in range(20):
        if not model.summarised:
            ada.say(thread, FILLER)
    assert f"It returned: {WITHHELD}" in model.summarised[0]
    assert "4711" not in model.summarised[0]


class TestManyShortMessages:
    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"history_items": 12})

    def test_they_are_summarised_before_they_are_too_old_to_be_read(self, ada, model):
        thread = thread_of(ada.create("fact-1"))
        for _ in range(14):
            ada.say(thread, "Yes.")
        assert known(model) == ["fact-1"]
        assert 2 <= len(model.summarised) <= 6


class TestTurnedOff:
    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"summaries": False})

    def test_the_oldest_messages_are_left_out(self, ada, model):
        talk(ada, 11)
        assert model.summarised == []
        assert known(model)[-1] == "fact-11"
        assert "fact-1" not in known(model)
