"""What the offline demo does with the starter's tools."""

import pytest

from functions.assistant import assistant

AVAILABLE = {tool.name for tool in assistant.tools}
SCRIPT = assistant.demo()


CASES = [
    ("What time is it in Tokyo?", "world_clock", {"place": "Tokyo"}),
    ("what's the time", "world_clock", {"place": "UTC"}),
    ("What is 12.5 * (3 + 4)?", "calculate", {"expression": "12.5 * (3 + 4)"}),
    ("Find my conversations about Tokyo", "search_conversations", {"query": "Tokyo"}),
    ("Dark mode please", "switch_theme", {"theme": "dark"}),
    ("show me my checklist", "show_checklist", {"add": []}),
    ("write a note about rivers", "write_note", None),
]


@pytest.mark.parametrize(
    ("text", "name", "arguments"), [case for case in CASES if case[1] in AVAILABLE]
)
def test_key_words_choose_a_tool(text, name, arguments):
    picked, given = SCRIPT.pick_tool(text, AVAILABLE)
    assert picked == name
    assert arguments is None or given == arguments
