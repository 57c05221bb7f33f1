"""What the assistant does (docs/testing.md)."""

from functions.toolkit.testing import assistant_under_test, calls, says

NAME = "examples.minimal"


async def test_it_rolls_a_die():
    model = [calls("roll_dice", sides=6), says("There you are.")]
    async with assistant_under_test(NAME, model) as chat:
        said = await chat.say("Roll a die")
    assert 1 <= int(said.call.result) <= 6
    assert said.text == "There you are."


async def test_the_offline_demo_rolls_one_too():
    async with assistant_under_test(NAME) as chat:
        assert (await chat.say("Roll a die")).call.name == "roll_dice"
