"""Golden conversations: a Markdown file with what a user does and what comes of it."""

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatkit.types import ClientToolCallItem, StructuredInputItem, WidgetItem

from .cards import buttons
from .chat import Chat
from .said import Said

UPDATE: Final = "CHATKIT_UPDATE"
"""The environment variable that makes `check_conversation` write its files, whatever its value."""

_DONE_BY_USER: Final = ("User", "Press", "Page returns", "Retry")


@dataclass(frozen=True)
class Section:
    """A heading, such as ``User`` or ``Tool `calculate` ``, and what stands below it."""

    heading: str
    body: str

    @property
    def markdown(self) -> str:
        # A heading in a message is no section.
        body = re.sub(r"^(\\*## )", r"\\\1", self.body, flags=re.MULTILINE)
        return f"## {self.heading}\n\n{body}".rstrip() + "\n"

    @property
    def is_the_users(self) -> bool:
        return self.heading.startswith(_DONE_BY_USER)

    @property
    def name(self) -> str:
        """What stands between backquotes in the heading."""
        found = re.search(r"`(.+)`", self.heading)
        if found is None:
            raise AssertionError(f"## {self.heading} needs a name: ## {self.heading} `name`")
        return found[1]


async def check_conversation(
    chat: Chat, path: str | Path, *, mask: Mapping[str, str] | None = None
) -> None:
    """Do what the user does in this file, and compare what comes of it with the rest of the file.

    A section is what the user does: `## User` with a message, ``## Press `action` `` on the newest
    card that has it (with the payload as JSON when there are several buttons, or fields),
    `## Page returns` with JSON, `## Retry`. All other sections are made from what came. `mask` has
    words to write in place of what matches a pattern, such as times. Raises `AssertionError` with
    the difference. With `CHATKIT_UPDATE=1` in the environment the file is written instead.
    """
    file = Path(path)
    before = file.read_text(encoding="utf-8")  # noqa: ASYNC240 - a test has nothing else to do
    introduction, sections = _parse(before)
    if not any(section.is_the_users for section in sections):
        raise AssertionError(f"{file} has no section in which the user does something: ## User")
    came: list[Section] = []
    for section in sections:
        if section.is_the_users:
            came += [section, *_sections(await _do(chat, section))]
    shown = "\n".join([*filter(None, [introduction]), *(section.markdown for section in came)])
    for pattern, words in (mask or {}).items():
        shown = re.sub(pattern, words, shown)
    if UPDATE in os.environ:
        file.write_text(shown, encoding="utf-8")  # noqa: ASYNC240
    elif shown.rstrip() != before.rstrip():
        difference = difflib.unified_diff(
            before.rstrip().splitlines(), shown.rstrip().splitlines(), "file", "came", lineterm=""
        )
        raise AssertionError(
            "\n".join([f"{file} tells another conversation than came:", *difference])
            + f"\nIf that is meant, run it with {UPDATE}=1."
        )


def _parse(text: str) -> tuple[str, list[Section]]:
    first, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    sections = []
    for part in parts:
        heading, _, body = part.partition("\n")
        body = re.sub(r"^\\(\\*## )", r"\1", body, flags=re.MULTILINE)
        sections.append(Section(heading.strip(), body.strip()))
    introduction = first.strip()
    return introduction and f"{introduction}\n", sections


async def _do(chat: Chat, section: Section) -> Said:
    kind = section.heading.split(" `", maxsplit=1)[0]
    given = json.loads(section.body) if section.body and kind != "User" else None
    match kind:
        case "User":
            return await chat.say(section.body)
        case "Retry":
            return await chat.retry()
        case "Page returns":
            return await chat.client_tool_result(given)
    cards = [item for item in await chat.items() if isinstance(item, WidgetItem)]
    with_it = [card for card in cards if buttons(card, section.name)]
    if not with_it:
        raise AssertionError(f"no card has the button {section.name}")
    return await chat.press(with_it[-1], section.name, given)


def _sections(said: Said) -> Iterator[Section]:
    for call in said.calls:
        result = "" if call.result is None else f"\n\n→ {call.result}"
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        yield Section(f"Tool `{call.name}`", f"{arguments}{result}")
    for item in said.new:
        if isinstance(item, WidgetItem):
            yield Section("Card", "\n".join(_lines(item.widget.model_dump(mode="json"))))
        elif isinstance(item, StructuredInputItem):
            yield Section("Questions", "\n".join(f"- {each.question}" for each in item.inputs))
        elif isinstance(item, ClientToolCallItem) and item.status == "pending":
            arguments = json.dumps(item.arguments, ensure_ascii=False)
            yield Section(f"Tool of the page `{item.name}`", arguments)
    for name, data in said.effects.items():
        yield Section(f"Effect `{name}`", json.dumps(data, ensure_ascii=False))
    if said.text:
        yield Section("Assistant", said.text)
    for notice in said.notices:
        yield Section("Notice", notice)
    if said.error:
        yield Section("Error", said.error)


def _lines(node: Any) -> Iterator[str]:
    """The texts on a card, one a line; what can be pressed is in brackets."""
    if isinstance(node, list):
        for each in node:
            yield from _lines(each)
    elif isinstance(node, dict):
        text = next(
            (t for n in ("label", "value", "title") if isinstance(t := node.get(n), str)), ""
        )
        pressed = any(name.endswith("Action") and node[name] for name in node)
        if text:
            yield f"- [{text}]" if pressed else f"- {text}"
        for each in node.values():
            if isinstance(each, list):
                yield from _lines(each)
