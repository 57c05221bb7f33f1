"""`assistant_under_test` drives the whole engine, and tells what came of it."""

import socket

import pytest
from agents.testing import UnconsumedModelSteps, UnexpectedModelCall
from pydantic import ValidationError

from functions.toolkit.testing import (
    Refused,
    assistant_under_test,
    buttons,
    calls,
    says,
)
from tests.assistants.cats import assistant as cats
from tests.assistants.minimal import assistant as minimal
from tests.assistants.news import assistant as news
from tests.assistants.rules import assistant as rules
from tests.assistants.sample import assistant as sample
from tests.assistants.sample.features.items import ITEMS


async def test_it_tells_the_events_the_items_the_tools_and_what_the_model_got():
    steps = [says("One moment. ") + calls("add", a=2, b=3), says("It is 5.")]
    async with assistant_under_test(sample, steps, title="A sum") as chat:
        said = await chat.say("2 + 3?")
        assert said.events[0].type == "thread.created"
        assert [item.type for item in said.items] == [
            "user_message",
            "assistant_message",
            "assistant_message",
        ]
        assert (said.text, said.title) == ("One moment. \n\nIt is 5.", "A sum")
        assert (said.call.name, said.call.arguments, said.call.result) == (
            "add",
            {"a": 2, "b": 3},
            '"5"',
        )
        first, second = said.sent
        assert first.system_instructions == "A sample."
        assert len(second.input) > len(first.input)
        assert chat.model.remaining_steps == 0


async def test_nothing_leaves_the_process_and_the_environment_changes_nothing(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    monkeypatch.setenv("CHATKIT_MODEL", "a model")
    monkeypatch.setenv("CHATKIT_MESSAGES_PER_DAY", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connects"))
    async with assistant_under_test(sample, [says("a"), says("b")]) as chat:
        await chat.say("Hello", files={"a.txt": b"the words of a file"})
        said = await chat.say("Hello again")
    assert "the words of a file" in str(said.sent[0].input)


async def test_steps_that_are_left_or_missing_fail_the_test():
    with pytest.raises(UnconsumedModelSteps):
        async with assistant_under_test(sample, [says("a"), says("b")]) as chat:
            await chat.say("Hello")
    async with assistant_under_test(sample, [calls("add", a=1, b=2)]) as chat:
        with pytest.raises(UnexpectedModelCall):
            await chat.say("1 + 2?")


async def test_a_failing_model_is_an_error_that_the_visitor_reads_and_can_try_again():
    async with assistant_under_test(sample, [ConnectionError(), says("Hello.")]) as chat:
        assert (await chat.say("Hi")).error
        again = await chat.retry()
        assert (again.text, again.error) == ("Hello.", None)


async def test_a_card_is_pressed_by_its_only_button_and_drawn_anew():
    async with assistant_under_test(sample, [calls("show_items", add=["a"]), says("")]) as chat:
        shown = await chat.say("list")
        pressed = await chat.press(shown, "item.toggle")
        assert pressed.widget.id == shown.widget.id
        assert (await chat.read(ITEMS))[0].done
        assert buttons(pressed.widget) != buttons(shown.widget)
        with pytest.raises(AssertionError, match="not one button"):
            await chat.press(shown, "vote.cast")
        (mention,) = await chat.entities("a")
        chat.model = [says("a")]
        said = await chat.say("About", mentions=[mention])
        assert mention.id in str(said.sent[0].input)


async def test_a_tool_that_ends_the_answer_has_a_result_too():
    async with assistant_under_test(sample, [calls("ask_visitor")]) as chat:
        assert (await chat.say("Ask me")).call.result


async def test_users_have_roles_and_conversations_of_their_own():
    async with assistant_under_test(sample, [says("a"), says("b")]) as chat:
        (sent,) = (await chat.say("Hello")).sent
        boss = chat.as_user("boss", roles={"admin"})
        (more,) = (await boss.say("Hello")).sent
        assert {tool.name for tool in more.tools} > {tool.name for tool in sent.tools}
        boss.thread_id = chat.thread_id
        with pytest.raises(Refused) as refused:
            await boss.say("What did they say?")
        assert refused.value.status == 404
        assert await chat.request("threads.list") != await boss.request("threads.list")


async def test_the_data_of_a_conversation_and_the_assistants_routes_can_be_read():
    async with assistant_under_test(cats, [calls("feed_cat"), says("It purrs.")]) as chat:
        said = await chat.say("Feed it")
        assert said.effects["cat"]["energy"] == 7
        await chat.press(None, "cat.name", {"name": "Tom"})
        assert (await chat.thread_data.read()).name == "Tom"
        assert (await chat.get(f"/actions/x/cats/{chat.thread_id}"))["name"] == "Tom"


async def test_hooks_of_the_assistant_run_and_headers_reach_it():
    async with assistant_under_test(news, [calls("transfer_to_writer"), says("Done")]) as chat:
        evening = chat.as_user("eve", headers={"x-edition": "evening"})
        said = await evening.say("Write it up")
        assert "Newsroom asks Writer" in said.progress
        assert "evening edition" in said.sent[0].system_instructions


async def test_an_agent_and_an_assistant_without_the_agents_sdk_are_assistants_too():
    async with assistant_under_test(minimal, [calls("lucky_number"), says("7!")]) as chat:
        assert (await chat.say("My number?")).call.result == "7"
    async with assistant_under_test(rules) as chat:
        said = await chat.say("Where is it?")
        assert (said.text, said.sent) == ("It is in the handbook.", [])


async def test_the_limits_of_a_deployment_hold():
    limits = {"limits": {"person": {"messages_per_day": 1}}}
    async with assistant_under_test(sample, [says("a")], settings=limits) as chat:
        await chat.say("Hello")
        with pytest.raises(Refused) as refused:
            await chat.say("And again")
        assert refused.value.status == 429


async def test_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="mesages_per_day"):
        async with assistant_under_test(sample, settings={"mesages_per_day": 1}):
            pass


async def test_the_demo_answers_by_the_assistants_rules_when_there_is_no_script():
    async with assistant_under_test("tests.assistants.sample") as chat:
        assert (await chat.say("2 * 3")).call.name == "multiply"
