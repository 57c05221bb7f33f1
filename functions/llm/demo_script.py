"""What the demo model says, and which key words make it call which tool."""

import json
import re
from collections.abc import Callable
from typing import Any

HOW_TO_GET_A_REAL_ONE = (
    "put OPENAI_API_KEY=… or GEMINI_API_KEY=… into .env, "
    "or OPENAI_BASE_URL=… and CHATKIT_MODEL=… for any compatible server"
)

INTRODUCTION = f"""\
I am the **offline demo model**: I run inside this server, need no key, and go by key words \
only. To get a real one, {HOW_TO_GET_A_REAL_ONE}; then restart."""

GREETING = f"""\
Hello! {INTRODUCTION}

Everything around me is real, though. Try one of these:

- “What time is it in Tokyo?” calls a tool
- “What is 12.5 * (3 + 4)?” calls another
- “Find my conversations about Tokyo” reports its progress while it works
- “Show me my checklist” brings a card that you can tick off
- “Give me a choice”, “add a contact”, “write a note about rivers” bring others
- “Dark mode, please” lets the page itself do something
- “Tell me a long story” gives you time to press Stop
"""

STORY = """\
Once upon a time there was a small function that wanted to speak. It had learned to answer, \
but only all at once: it thought, and thought, and when it was done it dropped its whole reply \
on the table like a sack of flour. Nobody liked to wait for it.

One evening it met a stream. "Why do you carry everything?" the stream asked. "Let it go when \
you have it. A word is enough." The function tried. It let go of one word, and then of another, \
and on the far bank somebody looked up and began to read.

So it went on, word by word. It told of a table where every conversation lay in its own drawer, \
and nobody could open the drawer of another. It told of a bucket by the door where pictures were \
left and found again. It told of a button called Stop, which really stopped, and of a traveller \
who walked away in the middle of a sentence and, on coming home, found the whole answer waiting.

In the morning the function went to sleep, and cost nothing at all. And if nobody has woken it \
since, it is sleeping there still.
"""

_NOTE = """\
This is a note about **{topic}**, written word by word by the offline demo. A real model would \
have something to say about it; the card, its streaming and its place in the table are the same.
"""

Arguments = Callable[[re.Match[str]], dict[str, Any]]

_RULES: list[tuple[str, str, Arguments]] = [
    (
        "search_conversations",
        r"\b(?:search|find|look)\b.*?\b(?:for|about|of)\b\s+(?P<query>[^?.!]+)",
        lambda found: {"query": found["query"].strip()},
    ),
    (
        "world_clock",
        r"\b(?:time|clock|date)\b(?:.*?\b(?:in|at|for)\b\s+(?P<place>[^?.!,]+))?",
        lambda found: {"place": (found["place"] or "UTC").strip()},
    ),
    (
        "calculate",
        r"(?P<sum>[-(]*\d[\d\s.()*/+%-]*[*/+%-][\d\s.()*/+%-]*\d\)*)",
        lambda found: {"expression": found["sum"].strip()},
    ),
    (
        "switch_theme",
        r"\b(?P<theme>dark|light)\b",
        lambda found: {"theme": found["theme"].lower()},
    ),
    ("ask_visitor", r"\b(?:ask|interview)\s+me\b", lambda _: {"topic": "what you are up to"}),
    ("show_checklist", r"\b(?:check\s?list|to-?dos?|tasks)\b", lambda _: {"add": []}),
    ("show_contact_form", r"\b(?:contact|form)\b", lambda _: {}),
    (
        "offer_choices",
        r"\b(?:choice|choices|choose|options|pick)\b",
        lambda _: {
            "question": "Where shall we go?",
            "options": ["To the sea", "To the mountains", "To the city"],
        },
    ),
    ("show_appearance", r"\b(?:appearance|look|theme)\b", lambda _: {}),
    (
        "write_note",
        r"\bnote\b(?:.*?\b(?:about|on|that)\b\s+(?P<topic>[^?.!]+))?",
        lambda found: {
            "title": (found["topic"] or "A note").strip().capitalize(),
            "text": _NOTE.format(topic=(found["topic"] or "nothing in particular").strip()),
        },
    ),
]

_DEFAULTS: dict[str, dict[str, Any]] = {
    "world_clock": {"place": "UTC"},
    "calculate": {"expression": "6 * 7"},
    "search_conversations": {"query": "demo"},
    "switch_theme": {"theme": "dark"},
    "ask_visitor": {"topic": "what you are up to"},
    "show_checklist": {"add": []},
    "offer_choices": {"question": "Where to?", "options": ["To the sea", "To the city"]},
    "write_note": {"title": "A note", "text": _NOTE.format(topic="nothing in particular")},
}
"""For a tool from the menu, when the words say nothing of its arguments."""


def pick_tool(
    text: str, available: set[str], forced: object = None
) -> tuple[str, dict[str, Any]] | None:
    """The tool that `text` asks for, with its arguments, or None.

    `forced` is the Agents SDK's tool choice: the name of a tool, when the visitor
    picked one from the menu, or a mode such as `auto`.
    """
    if isinstance(forced, str) and forced in available:
        for name, pattern, arguments in _RULES:
            if name == forced:
                found = re.search(pattern, text, re.IGNORECASE)
                return name, arguments(found) if found else _DEFAULTS.get(name, {})
        return forced, _DEFAULTS.get(forced, {})
    for name, pattern, arguments in _RULES:
        found = re.search(pattern, text, re.IGNORECASE)
        if name in available and found:
            return name, arguments(found)
    return None


def short_title(text: str) -> str:
    words = text.split()
    return " ".join(words[:6]) + ("…" if len(words) > 6 else "")  # noqa: PLR2004 - six words


def default_answer(text: str) -> str:
    quoted = " ".join(text.split())[:200]
    return (
        f"You said: “{quoted}”. I am the offline demo, so that is as far as I understand it. "
        "Ask me for the *time in Lisbon*, a sum such as *7 * 6*, your *checklist*, "
        "or a *long story*."
    )


def result_in_words(result: str) -> str:
    """What a tool found, as a sentence or a list."""
    try:
        found = json.loads(result)
    except ValueError:
        return result
    if isinstance(found, dict):
        lines = [f"- **{str(key).replace('_', ' ')}**: {value}" for key, value in found.items()]
        return "Here it is:\n\n" + "\n".join(lines)
    if isinstance(found, list):
        matches = [entry for entry in found if isinstance(entry, dict)]
        lines = [f"- {entry.get('conversation')}: “{entry.get('text')}”" for entry in matches]
        return f"I found {len(found)}:\n\n" + "\n".join(lines)
    return f"Here it is: **{found}**"
