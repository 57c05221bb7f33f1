"""The look of the page."""

import pytest

from functions.assistant.features.appearance import (
    CARD,
    PREFERENCES,
    remember_scheme,
    show_appearance,
    switch_theme,
)
from functions.toolkit import ActionError
from tests.support.widgets import unknown_to_chatkit


async def test_the_card_shows_the_look_that_was_chosen_last(turn, documents, redrawn):
    after = await redrawn(remember_scheme, CARD.build(scheme="system"), scheme="dark")
    assert after == CARD.build(scheme="dark")
    assert (await documents.read(PREFERENCES)).scheme == "dark"
    await show_appearance.function(turn)
    assert turn.widgets == [after]
    assert not unknown_to_chatkit(after)


async def test_a_card_without_the_button_cannot_change_the_look(documents, press, turn):
    other = CARD.build(scheme="dark").model_copy(update={"children": []})
    with pytest.raises(ActionError):
        await press(remember_scheme, other, scheme="dark")
    assert (await documents.read(PREFERENCES)).scheme == "system"


async def test_the_tool_calls_the_client_tool_of_the_page(turn):
    assert switch_theme.ends_turn
    await switch_theme.function(turn, "dark")
    assert turn.calls == [("switch_theme", {"theme": "dark"})]
