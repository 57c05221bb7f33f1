"""Questions to the visitor."""

from functions.toolkit.testing import says


async def test_the_visitor_is_asked_and_the_assistant_waits_for_the_answers(chat, use):
    said = await use("ask_visitor", topic="a trip")
    asked = said.items[-1]
    assert (asked.type, asked.status) == ("structured_input", "pending")
    assert "a trip" in asked.inputs[0].question
    chat.model = [says("To Rome, then.")]
    answered = await chat.answer(asked, {"goal": ["Rome"], "depth": ["Everything"]})
    assert answered.text == "To Rome, then."
    assert "Rome" in str(answered.sent[0].input)
