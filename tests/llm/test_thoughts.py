"""What an open model thinks is shown as reasoning, and is no part of an answer or a title."""

import pytest
from agents import Agent, RunConfig, Runner

from functions.llm import build, choose
from functions.llm.demo_script import DemoScript
from functions.llm.thoughts import without_thoughts
from functions.settings import Settings
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
