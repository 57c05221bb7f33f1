"""Questions to the visitor."""

from functions.assistant.features.questions import ask_visitor


async def test_the_visitor_is_asked_and_the_assistant_waits(turn):
    assert ask_visitor.ends_turn
    await ask_visitor.function(turn, "a trip")
    item = turn.events[0].item
    assert (item.type, item.status) == ("structured_input", "pending")
    assert "a trip" in item.inputs[0].question
