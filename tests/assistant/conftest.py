"""The starter in the whole engine, in memory: docs/testing.md."""

import pytest

from functions.assistant import assistant
from functions.toolkit.testing import assistant_under_test, calls, says


@pytest.fixture
async def chat():
    """Ada's chat with the starter. Set `chat.model` to what the model answers."""
    async with assistant_under_test(assistant, []) as chat:
        yield chat


@pytest.fixture
def use(chat):
    """`await use("a_tool", its="arguments")` has the model call a tool of the starter."""
    waits = {tool.name for tool in assistant.tools if tool.ends_turn}

    async def used(tool, **arguments):
        chat.model = [calls(tool, **arguments)] + ([] if tool in waits else [says("Done.")])
        return await chat.say("Please")

    return used
