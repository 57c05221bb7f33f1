"""Makes the title of a conversation from its first message. Yours to edit."""

import asyncio
import logging

from agents import Agent, Model, RunConfig, Runner

from ..toolkit import short_title

logger = logging.getLogger(__name__)

INSTRUCTIONS = """\
Write a title of at most six words for a conversation that begins with the message below.
Use the language of the message. No quotation marks, no full stop. Answer with the title alone.
"""

TITLE_TIMEOUT = 8.0
"""Seconds. The title is made while the answer streams, and must not delay its end for long."""


async def title_for(message: str, model: Model) -> str:
    """A title for a conversation that begins with `message`.

    It never raises: when the model fails, the first words of the message are the title.
    """
    agent = Agent(name="Title", instructions=INSTRUCTIONS, model=model)
    try:
        async with asyncio.timeout(TITLE_TIMEOUT):
            result = await Runner.run(
                agent, message[:2000], max_turns=1, run_config=RunConfig(tracing_disabled=True)
            )
        title = str(result.final_output)
    except Exception as error:  # noqa: BLE001 - a missing title must not fail the answer
        logger.warning("the model made no title: %s", type(error).__name__)
        title = message
    return short_title(title or message)
