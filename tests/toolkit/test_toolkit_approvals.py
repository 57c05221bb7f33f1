"""The card of a call that waits for approval."""

import json
from types import ModuleType

import pytest
from pydantic import BaseModel

from functions.context import RequestContext
from functions.toolkit import Approval, Assistant, Turn, action, tool
from functions.toolkit.approvals import DECIDE, MAX_ROWS, MAX_VALUE, waits
from tests.support.widgets import HOSTILE, pressable, texts, unknown_to_chatkit


def test_a_card_that_waits_has_two_buttons_and_a_decided_one_has_none():
    card = Approval("send_money", '{"amount": 5}').card()
    assert [(each["type"], each["payload"]) for each in pressable(card)] == [
        (DECIDE.name, {"approve": True}),
        (DECIDE.name, {"approve": False}),
    ]
    assert waits(card)
    for status in ("approved", "declined", "withdrawn", "expired"):
        decided = Approval("send_money", '{"amount": 5}', status)
        assert decided.note in texts(decided.card())
        assert not waits(decided.card())


@pytest.mark.parametrize(
    ("tool", "title"),
    [
        ("send_money", "Send money"),
        ("mcp_shop__add_to_basket", "Shop: add to basket"),
        ("mcp_tea_shop__order", "Tea shop: order"),
        ("mcp__", "Mcp"),
        ("mcp_order", "Mcp order"),
    ],
)
def test_the_card_names_the_tool_in_words_and_its_server(tool, title):
    assert Approval(tool, "{}").title == title


@pytest.mark.parametrize("status", ["waiting", "approved"])
def test_chatkit_knows_every_property_of_the_card(status):
    assert unknown_to_chatkit(Approval("a", '{"b": 1}', status).card()) == []


def test_the_card_shows_what_the_model_wrote_as_text_of_bounded_length():
    many = {f"name{number}": "x" * 500 for number in range(30)}
    rows = Approval("a", json.dumps(many)).rows()
    assert len(rows) == MAX_ROWS + 1
    assert {len(value) for _, value in rows[:-1]} == {MAX_VALUE}
    assert HOSTILE in texts(Approval("a", json.dumps({"b": HOSTILE})).card())


@pytest.mark.parametrize("arguments", ["no JSON", "[1]", "", '{"a": {"b": [null]}}'])
def test_arguments_of_any_form_make_a_card(arguments):
    assert waits(Approval("a", arguments).card())


def test_a_text_that_names_the_action_is_no_button():
    decided = Approval("a", json.dumps({"b": DECIDE.name, DECIDE.name: "payload"}), "declined")
    assert not waits(decided.card())


def test_a_tool_that_needs_approval_is_not_offered_where_the_page_handles_no_cards():
    @tool(needs_approval=True)
    async def act(turn: Turn) -> str:
        """Acts."""

    @tool
    async def look(turn: Turn) -> str:
        """Looks."""

    assistant = Assistant(agent=object())
    assistant.tools = (act, look)

    class Asked:
        request_context = RequestContext("ada", page_abilities=frozenset({"client_tools"}))

    assert assistant.tools_for(Asked()) == [look]
    assert act.function_tool.needs_approval is True


def test_an_assistant_cannot_take_the_engines_action():
    feature = ModuleType("feature")
    feature.decide = action(DECIDE.name, payload=BaseModel)(None)
    with pytest.raises(ValueError, match="engine's"):
        Assistant([feature], agent=object())
