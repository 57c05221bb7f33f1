"""A tool shows an image of its own, which is stored with the conversation."""

import base64
import json

from agents import Agent
from chatkit.types import GeneratedImageItem

from functions.toolkit import Assistant, tool
from functions.toolkit.testing import assistant_under_test, calls, says

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@tool
async def paint(turn, image: str) -> str:
    """Paints."""
    await turn.show_image(PNG if image == "dot" else image.encode())
    return "It is on the page."


class Painter(Assistant):
    def agent_for(self, turn):
        return Agent(name="Painter", instructions="You paint.", tools=[paint.function_tool])

    async def after(self, turn):
        if turn.first_words == "Twice":
            await turn.show_image(PNG)
        return
        yield


painter = Painter([__name__])


async def test_an_image_is_shown_by_a_link_and_the_model_sees_it_in_the_next_turn():
    script = [calls("paint", image="dot"), says("There."), says("A dot.")]
    async with assistant_under_test(painter, script) as chat:
        said = await chat.say("Paint a dot")
        (image,) = [item for item in said.new if isinstance(item, GeneratedImageItem)]
        assert image.image.url.startswith("https://")
        assert await chat.files.read_image(image, chat.context) == PNG
        said = await chat.say("What is it?")
        assert base64.b64encode(PNG).decode() in json.dumps(said.sent[0].input)


async def test_what_is_no_image_is_not_stored_and_the_tool_fails():
    script = [calls("paint", image="<svg onload='alert()'/>"), says("That failed.")]
    async with assistant_under_test(painter, script) as chat:
        said = await chat.say("Paint")
        assert said.call.result == "The tool failed."
        assert not [item for item in said.items if isinstance(item, GeneratedImageItem)]


async def test_an_image_can_be_shown_while_no_agent_runs_and_does_not_replace_an_earlier_one():
    script = [calls("paint", image="dot"), says("There.")]
    async with assistant_under_test(painter, script) as chat:
        said = await chat.say("Twice")
        urls = {item.image.url for item in said.items if isinstance(item, GeneratedImageItem)}
        assert len(urls) == 2
