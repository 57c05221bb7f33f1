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


def test_it_has_all_tools_and_waits_after_those_that_end_the_turn(turn, model):
    agent = assistant.agent_for(turn, model, "a_tool")
    assert {tool.name for tool in agent.tools} == {tool.name for tool in assistant.tools}
    assert agent.model_settings.tool_choice == "a_tool"


def test_it_is_told_where_the_visitor_is(turn, model):
    turn.request_context = RequestContext(user_id="ada", locale="pt-BR", page={"title": "Café"})
    told = assistant.agent_for(turn, model, None).instructions
    assert "Café" in told
    assert "pt-BR" in told


async def test_without_a_model_the_first_words_are_the_title(model):
    assert await assistant.title_for("Plan  a\ntrip", model) == "Plan a trip"
