"""The look of the page."""

import pytest

from functions.assistant.features.appearance import CARD, PREFERENCES
from functions.toolkit.testing import Refused, says
from tests.support.widgets import nodes, unknown_to_chatkit


def chosen(said):
    """The button of the look that is in use."""
    look = [node for node in nodes(said.widget.widget) if node.get("style") == "primary"]
    return [node["key"] for node in look]


async def test_the_card_shows_the_look_that_was_chosen_last(chat, use):
    said = await use("show_appearance")
    assert chosen(said) == ["system"]
    assert chosen(await chat.press(said, "theme.applied", {"scheme": "dark"})) == ["dark"]
    assert (await chat.read(PREFERENCES)).scheme == "dark"
    assert chosen(await use("show_appearance")) == ["dark"]


def test_the_card_has_only_components_that_chatkit_knows():
    assert not unknown_to_chatkit(CARD.build(scheme="dark"))


async def test_a_card_without_the_button_cannot_change_the_look(chat):
    other = CARD.build(scheme="dark").model_copy(update={"children": []})
    with pytest.raises(Refused, match="no such button"):
        await chat.press(await chat.show(other), "theme.applied", {"scheme": "dark"})
    assert (await chat.read(PREFERENCES)).scheme == "system"


async def test_the_tool_calls_the_client_tool_of_the_page(chat, use):
    waiting = (await use("switch_theme", theme="dark")).client_tool
    assert (waiting.name, waiting.arguments) == ("switch_theme", {"theme": "dark"})
    chat.model = [says("It is dark now.")]
    assert (await chat.client_tool_result({"ok": True})).text == "It is dark now."
