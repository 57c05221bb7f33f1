"""The assistant in this folder, through the whole engine."""

from functions.toolkit.testing import assistant_under_test, calls, says

ASSISTANT = "examples.minimal"


async def test_a_die_has_as_many_sides_as_the_model_asks_for():
    script = [calls("roll_dice", sides=1), says("A one.")]
    async with assistant_under_test(ASSISTANT, model=script) as chat:
        said = await chat.say("Roll a die with one side")
    assert said.call.result == "1"
    assert said.text == "A one."


async def test_the_offline_demo_rolls_a_die_too():
    async with assistant_under_test(ASSISTANT) as chat:
        said = await chat.say("Roll a die")
    assert said.call.name == "roll_dice"
