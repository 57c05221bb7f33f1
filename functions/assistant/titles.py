"""Names a conversation after its first message."""

import asyncio
import logging

from agents import Agent, Model, RunConfig, Runner

logger = logging.getLogger(__name__)

INSTRUCTIONS = """\
Write a title of at most six words for a conversation that begins with the message below.
Use the language of the message. No quotation marks, no full stop. Answer with the title alone.
"""

TITLE_TIMEOUT = 8.0
"""Seconds. The title is wanted with the answer; a late one is not worth waiting for."""

MAX_LENGTH = 80


async def title_for(message: str, model: Model) -> str:
    """A title for a conversation that begins with `message`. Never fails: when the model
    does, the first words of the message have to do.
    """
    agent = Agent(name="Title", instructions=INSTRUCTIONS, model=model)
    try:
        async with asyncio.timeout(TITLE_TIMEOUT):
            result = await Runner.run(
                agent, message[:2000], max_turns=1, run_config=RunConfig(tracing_disabled=True)
            )
        title = str(result.final_output)
    except Exception as error:  # noqa: BLE001 - whatever it was, the answer matters more
        logger.warning("no title from the model: %s", type(error).__name__)
        title = message
    return _tidy(title) or _tidy(message) or "New conversation"


def _tidy(text: str) -> str:
    line = " ".join(text.split()).strip("\"'“”„*# ")
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1].rsplit(" ", 1)[0] + "…"
