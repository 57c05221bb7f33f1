"""Tools, widgets and entity sources."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from agents.tool_context import ToolContext
from pydantic import BaseModel

from functions.context import RequestContext
from functions.toolkit import Entity, Turn, entity_source, tool
from tests.assistants.sample import Sample
from tests.assistants.sample.features.items import CARD


class Model(BaseModel):
    price: Decimal


@dataclass
class Mixed:
    at: datetime
    id: UUID
    of: list[Model]


MIXED = Mixed(datetime(2026, 1, 1, tzinfo=UTC), UUID(int=7), [Model(price=Decimal("0.10"))])
AS_JSON = {
    "at": "2026-01-01T00:00:00Z",
    "id": "00000000-0000-0000-0000-000000000007",
    "of": [{"price": "0.10"}],
}


async def called(made, **arguments):
    given = json.dumps(arguments)
    context = ToolContext(
        context=SimpleNamespace(name="the turn"),
        tool_name=made.name,
        tool_call_id="call_1",
        tool_arguments=given,
    )
    return await made.function_tool.on_invoke_tool(context, given)


async def test_a_tool_gets_the_turn_and_its_result_becomes_json():
    @tool
    async def show(turn: Turn, count: int) -> Mixed:
        """Shows something.

        Args:
            count: How many.
        """
        assert (turn.name, count) == ("the turn", 3)
        return MIXED

    assert json.loads(await called(show, count=3)) == AS_JSON
    schema = show.function_tool.params_json_schema
    assert list(schema["properties"]) == ["count"], "the model does not see the turn"
    assert schema["properties"]["count"]["description"] == "How many."


async def test_text_is_not_converted_to_json():
    @tool
    async def say(turn: Turn) -> str:
        """Says it."""
        return 'a "word"'

    assert await called(say) == 'a "word"'


def test_a_widget_takes_values_of_any_type_that_a_tool_may_return():
    card = CARD.build(
        items=[{"id": UUID(int=7), "title": Decimal("1.50"), "done": False}], left=Decimal(1)
    )
    box, _ = json.loads(card.model_dump_json())["children"]
    assert (box["name"], box["label"]) == ("00000000-0000-0000-0000-000000000007", "1.50")


@pytest.mark.parametrize(
    ("query", "titles"), [("AD", ["Ada", "Madrid"]), (" ", ["Ada", "Madrid", "Oslo"])]
)
async def test_entities_are_found_by_their_title_ignoring_case(query, titles):
    @entity_source
    async def people(documents):
        return [Entity(id="1", title="Ada", group="People", data={"email": "a@b.de"})]

    @entity_source
    async def places(documents):
        return [Entity(id=title, title=title, group="Places") for title in ("Madrid", "Oslo")]

    entities = Sample([SimpleNamespace(people=people, places=places)]).entities
    found = await entities.search(query, None)
    assert [entity["title"] for entity in found] == titles
    assert found[0]["data"] == {"email": "a@b.de"}


async def test_at_most_twenty_entities_are_listed():
    @entity_source
    async def many(documents):
        return [Entity(id=str(n), title=f"n{n}", group="Numbers") for n in range(30)]

    entities = Sample([SimpleNamespace(many=many)]).entities
    assert len(await entities.search("", None)) == 20


@tool(roles={"staff", "admin"})
async def refund(turn: Turn) -> str:
    """Pays back."""
    return "paid"


@pytest.mark.parametrize(
    ("roles", "result"),
    [
        (set(), "The tool failed: this user may not use it."),
        ({"guest"}, "The tool failed: this user may not use it."),
        ({"staff"}, "paid"),
        ({"admin", "guest"}, "paid"),
    ],
)
async def test_a_tool_with_roles_runs_only_for_people_with_one_of_them(roles, result):
    """Whoever makes the agent may have offered it to all: `tools` instead of `tools_for`."""
    context = ToolContext(
        context=SimpleNamespace(
            request_context=RequestContext(user_id="ada", roles=frozenset(roles))
        ),
        tool_name="refund",
        tool_call_id="call_1",
        tool_arguments="{}",
    )
    assert await refund.function_tool.on_invoke_tool(context, "{}") == result


def test_a_role_that_is_one_text_is_refused():
    """Its letters would be the roles."""
    with pytest.raises(TypeError, match="is one text"):
        tool(roles="staff")
