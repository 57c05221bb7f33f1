"""The agent that the starter answers with."""

import pytest
from agents import Model

from functions.assistant import assistant
from functions.context import RequestContext


@pytest.fixture
def model():
    class Silent(Model):
        async def get_response(self, *_, **__):
            raise ConnectionError

        stream_response = get_response

    return Silent()


def test_the_agent_has_all_tools_and_the_choice_of_the_visitor(turn):
    turn.tool_choice = "a_tool"
    agent = assistant.agent_for(turn)
    assert {tool.name for tool in agent.tools} == {tool.name for tool in assistant.tools}
    assert agent.model_settings.tool_choice == "a_tool"


def test_the_instructions_have_nothing_that_a_link_may_say(turn):
    plain = assistant.agent_for(turn).instructions
    turn.request_context = RequestContext(user_id="ada", locale="pt-BR", page={"title": "Café"})
    assert assistant.agent_for(turn).instructions == plain


async def test_the_first_words_are_the_title_when_the_model_fails(turn, model):
    turn.first_words, turn.model = "Plan  a\ntrip", model
    assert await assistant.title(turn) == "Plan a trip"
