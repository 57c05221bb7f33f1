"""Shows everything that ChatKit can show. A message names what: see `shows`."""

import json
import sys

from functions.toolkit import Assistant, Entity, entity_source

from . import shows


@entity_source
async def entities(documents):
    return [
        Entity(id=shows.HARBOUR.id, title="Harbour", group="Places", data={"about": "Old"}),
    ]


class Gallery(Assistant):
    async def respond(self, turn):
        if turn.message is None:
            show = shows.answered
        elif turn.message.content[0].text == "What is told?":
            show = told
        else:
            show = getattr(shows, turn.message.content[0].text)
        async for event in show(turn):
            yield event


async def told(turn):
    """Says what a model would get of the conversation."""
    for event in shows.say(turn, json.dumps(await turn.model_input())):
        yield event


assistant = Gallery([sys.modules[__name__]])
