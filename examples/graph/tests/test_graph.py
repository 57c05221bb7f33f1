"""What the graph does, through the whole engine."""

import asyncio
import json
from pathlib import Path

import pytest
from agents.testing import ScriptedModel

from functions.chat import answer
from functions.toolkit.testing import assistant_under_test, calls, says

ASSISTANT = "examples.graph"
HOURS_AND_RAIN = calls("search_handbook", searches=["opening hours", "rain"])
PROMPTS = json.loads(Path(__file__, "../../page.json").resolve().read_text())["startScreen"][
    "prompts"
]


def steps(said):
    """The tasks of each workflow, by what they show."""
    return [
        [(task.title, task.content, task.status_indicator) for task in item.workflow.tasks]
        for item in said.new
        if item.type == "workflow"
    ]


async def test_it_looks_up_all_that_the_plan_asks_for_and_answers_from_it():
    async with assistant_under_test(ASSISTANT, [HOURS_AND_RAIN, says("From nine.")]) as chat:
        said = await chat.say("When do you open, and what if it rains?")
    assert said.text == "From nine."
    assert steps(said) == [
        [
            ("Looking up “opening hours”", "Opening hours", "complete"),
            ("Looking up “rain”", "Rain", "complete"),
        ]
    ]
    assert "We are open from nine" in said.call.result
    assert "When it rains all day" in said.call.result


async def test_what_needs_no_handbook_is_answered_by_the_first_node():
    async with assistant_under_test(ASSISTANT, [says("Good morning!")]) as chat:
        said = await chat.say("Good morning")
    assert said.text == "Good morning!"
    assert said.progress == ["Reading the question"]
    assert steps(said) == []


async def test_the_model_is_told_what_the_handbook_does_not_have():
    script = [calls("search_handbook", searches=["submarines"]), says("We have none.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Do you have submarines?")
    assert said.call.result == "The handbook has nothing about it."
    assert steps(said)[0][0] == ("Looking up “submarines”", "Nothing found", "complete")


@pytest.mark.parametrize("arguments", ['{"searches": null}', "[1]", "rain", '{"rain": 1}'])
async def test_a_call_in_another_form_is_a_search_for_its_words(arguments):
    (call,) = calls("search_handbook")
    script = [[call.model_copy(update={"arguments": arguments})], says("Come another day.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("What if it rains?")
    assert said.text == "Come another day."
    assert [title for title, *_ in steps(said)[0]] == [f"Looking up “{arguments}”"]


async def test_each_call_of_a_model_that_makes_several_gets_an_output():
    script = [HOURS_AND_RAIN + calls("search_handbook", searches=["deposit"]), says("Well.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Tell me all")
    assert ["We take 100 euros" in call.result for call in said.calls] == [True, True]


async def test_the_tokens_of_both_nodes_count_for_the_limits():
    limits = {"limits": {"person": {"input_tokens_per_day": 100_000}}}
    used = []
    async with assistant_under_test(ASSISTANT, settings=limits) as chat:
        for script in ([says("Hi.")], [HOURS_AND_RAIN, says("From nine.")]):
            chat.model = script
            await chat.say("Hello")
            (limit,) = (await chat.get("/chatkit/usage"))["limits"]
            used.append(limit["used"])
    assert used[1] - used[0] > 1.5 * used[0] > 0


async def test_it_knows_what_was_said_before():
    async with assistant_under_test(ASSISTANT, [says("Hello!"), says("You said hi.")]) as chat:
        await chat.say("Hi")
        said = await chat.say("What did I say?")
    sent = json.dumps(said.sent[0].input)
    assert [item["role"] for item in said.sent[0].input] == ["user", "assistant", "user"]
    assert "Hello!" in sent


async def test_a_search_that_fails_ends_the_answer_with_an_error(monkeypatch, caplog):
    async def fails(search):
        raise ConnectionError

    async with assistant_under_test(ASSISTANT, [HOURS_AND_RAIN]) as chat:
        monkeypatch.setattr("examples.graph.graph.chapter_about", fails)
        said = await chat.say("When do you open?")
    assert said.error
    assert "ConnectionError" in caplog.text
    assert {status for _, _, status in steps(said)[0]} == {"none"}


class Breaking(ScriptedModel):
    """Says the beginning of an answer, and then does what `next` says."""

    def __init__(self, then):
        super().__init__([says("It was going so well and then it ended")])
        self._then = then

    async def stream_response(self, *args, **kwargs):
        async for event in super().stream_response(*args, **kwargs):
            if event.type == "response.output_text.done":
                await self._then()
            yield event


async def test_what_was_said_before_the_model_broke_is_kept():
    async def fails():
        raise ConnectionError

    async with assistant_under_test(ASSISTANT, Breaking(fails)) as chat:
        said = await chat.say("Hello")
    assert said.error
    assert said.text.startswith("It was going so")


async def test_stop_ends_the_graph_and_keeps_what_was_shown(monkeypatch):
    monkeypatch.setattr(answer, "POLL_INTERVAL", 0.05)
    ended = []

    async with assistant_under_test(ASSISTANT) as nobody:
        chat = nobody.as_user("bob", headers={"x-chatkit-run-id": "run-of-bob"})

        async def waits():
            assert await chat.post("/actions/cancel", {"run_id": "run-of-bob"})
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        chat.model = Breaking(waits)
        async with asyncio.timeout(10):
            said = await chat.say("Hello")
    assert ended == [True]
    assert said.text == "".join(
        event.update.delta
        for event in said.events
        if event.type == "thread.item.updated" and hasattr(event.update, "delta")
    )


async def test_the_demo_shows_all_of_it():
    async with assistant_under_test(ASSISTANT) as chat:
        both, two, nothing, hello, long = [await chat.say(each["prompt"]) for each in PROMPTS]
    assert [len(tasks) for tasks in steps(both)] == [2]
    assert "offline demo" in both.text
    assert "from nine to six" in both.text
    assert "18 euros" in both.text
    assert "A helmet and a lock" in two.text
    assert "22 kilograms" in two.text
    assert nothing.text == "The handbook has nothing about it."
    assert hello.calls == []
    assert "Deposit" in long.text
