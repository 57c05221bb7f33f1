"""The handbook, and a search in it. Ask your own index here."""

import re
from pathlib import Path

TEXT = Path(__file__).with_name("handbook.md").read_text()
CHAPTERS: dict[str, str] = dict(re.findall(r"^## (.+)\n\n(.+)$", TEXT, re.MULTILINE))

COMMON = {"and", "are", "can", "does", "for", "have", "how", "the", "what", "when", "with", "you"}


async def chapter_about(search: str) -> dict[str, str]:
    """The chapter that has most of the words; empty when none has any."""
    wanted = _words(search)
    found = max(CHAPTERS, key=lambda name: len(wanted & _words(name + " " + CHAPTERS[name])))
    return {found: CHAPTERS[found]} if wanted & _words(found + " " + CHAPTERS[found]) else {}


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"\w{3,}", text.lower())} - COMMON
