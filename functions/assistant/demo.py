"""The offline demo's texts, and the key words by which it calls your tools. Yours to edit.

The demo answers in `make dev` when there is no key. The first rule whose pattern is found in a
message calls its tool. A rule for a tool that does not exist is ignored.
"""

import re
from typing import Any

from ..toolkit import DemoRule, DemoScript

INTRODUCTION = DemoScript().introduction

GREETING = f"""\
Hello! {INTRODUCTION}

Everything around me is real, though. Try one of these:

- “What time is it in Tokyo?” calls a tool
- “What is 12.5 * (3 + 4)?” calls another
- “Find my conversations about Tokyo” reports its progress while it works
- “Show me my checklist” brings a card that you can tick off
- “Give me a choice”, “add a contact”, “write a note about rivers” bring others
- “Dark mode, please” lets the page itself do something
- “How do I deploy this?” is answered from documents, with a citation, where there are some
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


def _note(found: re.Match[str]) -> dict[str, Any]:
    topic = (found["topic"] or "").strip()
    return {
        "title": topic.capitalize() or "A note",
        "text": _NOTE.format(topic=topic or "nothing in particular"),
    }


RULES = (
    DemoRule(
        "search_conversations",
        r"\b(?:search|find|look)\b.*?\b(?:for|about|of)\b\s+(?P<query>[^?.!]+)",
        lambda found: {"query": found["query"].strip()},
        default={"query": "demo"},
    ),
    DemoRule(
        "world_clock",
        r"\b(?:time|clock|date)\b(?:.*?\b(?:in|at|for)\b\s+(?P<place>[^?.!,]+))?",
        lambda found: {"place": (found["place"] or "UTC").strip()},
        default={"place": "UTC"},
    ),
    DemoRule(
        "calculate",
        r"(?P<sum>[-(]*\d[\d\s.()*/+%-]*[*/+%-][\d\s.()*/+%-]*\d\)*)",
        lambda found: {"expression": found["sum"].strip()},
        default={"expression": "6 * 7"},
    ),
    DemoRule(
        "switch_theme",
        r"\b(?P<theme>dark|light)\b",
        lambda found: {"theme": found["theme"].lower()},
        default={"theme": "dark"},
    ),
    DemoRule(
        "ask_visitor",
        r"\b(?:ask|interview)\s+me\b",
        lambda _: {"topic": "what you are up to"},
        default={"topic": "what you are up to"},
    ),
    DemoRule(
        "show_checklist",
        r"\b(?:check\s?list|to-?dos?|tasks)\b",
        lambda _: {"add": []},
        default={"add": []},
    ),
    DemoRule("show_contact_form", r"\b(?:contact|form)\b"),
    DemoRule(
        "offer_choices",
        r"\b(?:choice|choices|choose|options|pick)\b",
        lambda _: {
            "question": "Where shall we go?",
            "options": ["To the sea", "To the mountains", "To the city"],
        },
        default={"question": "Where to?", "options": ["To the sea", "To the city"]},
    ),
    DemoRule("show_appearance", r"\b(?:appearance|look|theme)\b"),
    DemoRule(
        "write_note",
        r"\bnote\b(?:.*?\b(?:about|on|that)\b\s+(?P<topic>[^?.!]+))?",
        _note,
        default={"title": "A note", "text": _NOTE.format(topic="nothing in particular")},
    ),
    DemoRule(
        "search_knowledge",
        r"^\W*(?P<query>how\b.+|where\b.+|what (?:is|are|does|do|can|happens)\b(?! you\b).+"
        r"|which\b.+|.*\b(?:deploy|docs|documentation)\b.*)",
        lambda found: {"query": found["query"].strip()},
        default={"query": "how to begin"},
    ),
)

SCRIPT = DemoScript(
    greeting=GREETING,
    hint="Ask me for the *time in Lisbon*, a sum such as *7 * 6*, your *checklist*, "
    "or a *long story*.",
    story=STORY,
    rules=RULES,
)
