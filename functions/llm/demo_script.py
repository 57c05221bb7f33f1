"""The offline demo's texts, and the key words by which it calls tools."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

HOW_TO_GET_A_REAL_ONE = (
    "put OPENAI_API_KEY=… or GEMINI_API_KEY=… into .env, "
    "or OPENAI_BASE_URL=… and CHATKIT_MODEL=… for any compatible server"
)

INTRODUCTION = f"""\
I am the **offline demo model**: I run inside this server, need no key, and go by key words \
only. To get a real one, {HOW_TO_GET_A_REAL_ONE}; then restart."""

MAX_TITLE_WORDS = 6

MORE_PLACES = 3
"""Places in documents that are named beside the best passage."""


@dataclass(frozen=True)
class DemoRule:
    """When the visitor's message matches `pattern` (ignoring case), the demo calls `tool`.

    `arguments` makes the tool's arguments from the match. `default` are the arguments when the
    visitor picked the tool from the menu and their message does not match.
    """

    tool: str
    pattern: str
    arguments: Callable[[re.Match[str]], dict[str, Any]] = lambda _: {}
    default: dict[str, Any] = field(default_factory=dict)

    def match(self, text: str) -> dict[str, Any] | None:
        found = re.search(self.pattern, text, re.IGNORECASE)
        return None if found is None else self.arguments(found)


@dataclass(frozen=True)
class DemoScript:
    """The texts and rules of the offline demo. Rules for tools that do not exist are ignored."""

    introduction: str = INTRODUCTION
    """Begins the first answer of a conversation, which must not pass for a real model's."""
    greeting: str = f"Hello! {INTRODUCTION}"
    hint: str = ""
    """The end of the answer to a message that matches no rule."""
    after_action: str = (
        "That is done. I am the offline demo, so I stop here; a real model goes on from it."
    )
    """The answer to something that the visitor did on a card. The note that an
    action leaves for the model is not written for the visitor, so it is not quoted."""
    story: str = "Once upon a time there was a small function that could speak."
    """The answer to a request for a story or a long answer."""
    rules: tuple[DemoRule, ...] = ()

    def pick_tool(
        self, text: str, available: set[str], tool_choice: object = None
    ) -> tuple[str, dict[str, Any]] | None:
        """The tool to call for `text`, with its arguments, or None.

        `tool_choice` is the Agents SDK's setting: the name of the tool that the visitor picked
        from the menu, or a mode such as `auto`.
        """
        if isinstance(tool_choice, str) and tool_choice in available:
            for rule in self.rules:
                if rule.tool == tool_choice:
                    found = rule.match(text)
                    return tool_choice, rule.default if found is None else found
            return tool_choice, {}
        for rule in self.rules:
            found = rule.match(text)
            if rule.tool in available and found is not None:
                return rule.tool, found
        return None

    def answer(self, text: str) -> str:
        """The answer to a message that matches no rule."""
        quoted = " ".join(text.split())[:200]
        start = (
            f"You said: “{quoted}”. I am the offline demo, so that is as far as I understand it."
        )
        return f"{start} {self.hint}".rstrip()


def short_title(text: str) -> str:
    words = text.split()
    return " ".join(words[:MAX_TITLE_WORDS]) + ("…" if len(words) > MAX_TITLE_WORDS else "")


def result_in_words(result: str) -> str:
    """What a tool returned, as a sentence or a list."""
    try:
        found = json.loads(result)
    except ValueError:
        return result
    if isinstance(found, dict):
        lines = [f"- **{str(key).replace('_', ' ')}**: {value}" for key, value in found.items()]
        return "Here it is:\n\n" + "\n".join(lines)
    if isinstance(found, list) and found and all("cite" in each for each in found):
        return _passages_in_words(found)
    if isinstance(found, list):
        matches = [entry for entry in found if isinstance(entry, dict)]
        lines = [f"- {entry.get('conversation')}: “{entry.get('text')}”" for entry in matches]
        return f"I found {len(found)}:\n\n" + "\n".join(lines)
    return f"Here it is: **{found}**"


def _passages_in_words(passages: list[dict[str, str]]) -> str:
    """What a search of documents found: the best passage as it is, and where the others are."""
    best = passages[0]
    quoted = "\n".join(f"> {line}" for line in best["text"].splitlines())
    answer = f"**{best['title']}** says:\n\n{quoted}\n\n({best['place']}) {best['cite']}"
    places: dict[str, str] = {}
    for each in passages:
        places.setdefault(each["place"], each["cite"])
    more = [f"- {place} {cite}" for place, cite in places.items()][1 : MORE_PLACES + 1]
    return "\n".join([answer, "\nSee also:\n", *more]) if more else answer
