"""What an open model thinks is shown as reasoning, and is no part of an answer or a title."""

from contextlib import suppress

import pytest
from agents import (
    Agent,
    ModelBehaviorError,
    ModelSettings,
    ModelTracing,
    RunConfig,
    Runner,
)

from functions.llm import build, choose
from functions.llm.demo_script import DemoScript
from functions.llm.thoughts import without_thoughts
from functions.settings import Settings
from tests.support.dialects import DialectServer, numbered, response
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>Hm</think>\n\nYes", "Yes"),
        ("\n<think>\nHm\n</think>Yes", "Yes"),
        ("<think></think>Yes", "Yes"),
        ("<think>Hm", ""),
        ("Yes <think>no</think>", "Yes <think>no</think>"),
        ("<thinking is hard>", "<thinking is hard>"),
        ("Hm\n\nhm\n</think>\n\nYes", "Yes"),  # the prompt ended with <think>
        ("Hm\n</think>", ""),
        ("Write </think> at the end.", "Write </think> at the end."),
        ("It is\n<think>\nHm\n</think>\nYes", "It is\n<think>\nHm\n</think>\nYes"),
        ("", ""),
    ],
)
def test_thoughts_are_what_is_between_the_marks_at_the_beginning(text, rest):
    assert without_thoughts(text) == rest


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_an_answer_that_is_not_streamed_has_no_thoughts_as_a_title_is(api):
    server = OpenAIServer(Say("<think>A title, hm</think>\n\nBlue birds"))
    with served(server.app) as url:
        values = {"openai_base_url": f"{url}/v1", "model": "test", "model_api": api}
        choice = choose(Settings(_env_file=None, **values))
        agent = Agent(name="A", model=build(choice, "test", "key", DemoScript()))
        result = await Runner.run(agent, "Hi", run_config=RunConfig(tracing_disabled=True))
    assert result.final_output == "Blue birds"


ITEM = {"id": "m", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
WHOLE = {
    **ITEM,
    "status": "completed",
    "content": [{"type": "output_text", "text": "<think>Hm</think>Yes", "annotations": []}],
}
CALL = {"id": "f", "type": "function_call", "call_id": "c", "name": "x", "arguments": "{}"}
BEGUN = [
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
    {
        "type": "response.output_text.delta",
        "item_id": "m",
        "output_index": 0,
        "content_index": 0,
        "delta": "<think>Hm",
        "logprobs": [],
    },
]


async def streamed(*events):
    """The events as they leave the model, when a provider streams these."""
    server = DialectServer(Say(""))
    server.script = [numbered(*events)]
    with served(server.app) as url:
        values = {"openai_base_url": f"{url}/v1", "model": "test", "model_api": "responses"}
        model = build(choose(Settings(_env_file=None, **values)), "test", "key", DemoScript())
        seen = []
        with suppress(ModelBehaviorError):  # follows a response that failed
            async for event in model.stream_response(
                None, "Hi", ModelSettings(), [], None, [], ModelTracing.DISABLED,
                previous_response_id=None, conversation_id=None, prompt=None,
            ):  # fmt: skip
                seen.append(event)  # noqa: PERF401 - what came before the error counts
        return seen


async def test_the_answer_of_a_provider_that_does_not_end_its_message_is_in_the_last_event():
    done = {"type": "response.completed", "response": response(WHOLE)}
    last = (await streamed(*BEGUN, done))[-1]
    assert last.response.output[0].content[0].text == "Yes"


async def test_a_failure_in_the_middle_of_a_thought_is_passed_on():
    failed = {"type": "response.failed", "response": response(status="failed", output=None)}
    assert (await streamed(*BEGUN, failed))[-1].type == "response.failed"


@pytest.mark.parametrize("index", [0, 1])
async def test_a_call_in_the_middle_of_a_thought_is_passed_on(index):
    calls = [
        {"type": f"response.output_item.{kind}", "output_index": index, "item": CALL}
        for kind in ("added", "done")
    ]
    items = [each.item for each in await streamed(*BEGUN, *calls) if hasattr(each, "item")]
    assert [item.type for item in items] == ["reasoning", "function_call", "function_call"]


async def test_an_answer_with_a_call_without_arguments_is_read():
    done = {"type": "response.completed", "response": response({**CALL, "arguments": None})}
    (last,) = await streamed(done)
    assert last.response.output[0].arguments == ""
