"""The example of several agents in the documentation works as it stands there."""

import re
from pathlib import Path

from functions.toolkit.speaker import is_speaker_line
from functions.toolkit.testing import assistant_under_test, calls, says

DOCS = Path(__file__).resolve().parents[2] / "docs" / "assistant.md"


async def test_who_has_taken_over_answers_the_next_message():
    _, _, section = DOCS.read_text().partition("## Several agents")
    example: dict = {}
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], example)
    model = [calls("transfer_to_billing"), says("Your bill."), says("In May.")]
    async with assistant_under_test(example["assistant"], model) as chat:
        said = await chat.say("My bill")
        lines = [item.task.title for item in said.new if is_speaker_line(item)]
        assert (lines, said.text) == (["Billing has taken over"], "Your bill.")
        said = await chat.say("When is it due?")
        assert said.sent[0].system_instructions == "You do the bills."
        assert not [item for item in said.new if is_speaker_line(item)]
