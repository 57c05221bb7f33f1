"""Markdown as CommonMark and GitHub's tables have it. Addresses of links are left out."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from . import web_page
from .blocks import Block, UnreadableError, one_line, table
from .plain_text import decoded

MAX_NESTING: Final = 100
"""Lists and quotations inside of each other. markdown-it leaves out, in silence, what is deeper."""

_FRONT: Final = re.compile(r"\A---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE: Final = re.compile(r"""^title:[ \t]*(["']?)(.+?)\1[ \t]*$""", re.MULTILINE)
_KEPT: Final = re.compile(r"[LM]|Nd|Pc")
"""The categories of characters that GitHub keeps in an anchor, beside spaces and hyphens."""


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title in the front matter, and the blocks. Nothing else of the front matter is read."""
    source = decoded(data).replace("\r\n", "\n")
    title = None
    if front := _FRONT.match(source):
        title = _FRONT_TITLE.search(front[1] or "")
        source = source[front.end() :]
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(
        ["table", "strikethrough"]
    )
    return title[2] if title else "", _blocks(parser.parse(source))


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    items = _List()
    contents = _Contents()
    for before, token in pairwise([Token("", "", 0), *tokens]):
        if token.level >= MAX_NESTING - 1:
            raise UnreadableError("Its lists or quotations are nested too deeply.")
        match token.type:
            case "list_item_open":
                items.open(f"{token.info}{token.markup} " if token.info else "- ")
            case "list_item_close":
                items.close()
            case "bullet_list_close" | "ordered_list_close" if not items.is_open:
                yield from items.taken()
        for block in contents.found(token, before):
            if items.is_open:
                items.add(block.text)
            elif block.text.strip():
                yield block


class _Contents:
    """What is in and outside of lists. It counts anchors, and keeps rows until a table ends."""

    def __init__(self) -> None:
        self._anchors: Counter[str] = Counter()
        self._rows: list[list[str]] = []

    def found(self, token: Token, before: Token) -> Iterator[Block]:
        """The block that a token completes; most complete none. `before` is the token before it."""
        match token.type:
            case "tr_open":
                self._rows.append([])
            case "inline" if before.type in {"th_open", "td_open"}:
                self._rows[-1].append(_text(token))
            case "table_close":
                yield from table(self._rows)
                self._rows = []
            case "inline" if before.type == "heading_open" and before.level == 0:
                text = _text(token)
                anchor = _anchor(text, self._anchors)
                yield Block("heading", one_line(text), int(before.tag[1]), anchor=anchor)
            case "inline":
                yield Block("text", _text(token).strip())
            case "fence" | "code_block":
                yield Block("text", token.content.rstrip("\n"))
            case "html_block":
                yield from web_page.fragment(token.content)


class _List:
    """The list that is open, with lists inside of it and whatever its items have."""

    def __init__(self) -> None:
        self._marks: list[str] = []
        """Of the items that are open, the outermost first; empty where it is written."""
        self._lines: list[str] = []

    @property
    def is_open(self) -> bool:
        return bool(self._marks)

    def open(self, mark: str) -> None:
        self._marks.append(mark)

    def close(self) -> None:
        self._marks.pop()

    def add(self, text: str) -> None:
        inside = "  " * (len(self._marks) - 1)
        for line in text.splitlines():
            self._lines.append(inside + (self._marks[-1] or "  ") + line)
            self._marks[-1] = ""

    def taken(self) -> Iterator[Block]:
        if self._lines:
            yield Block("text", "\n".join(self._lines))
        self._lines = []


def _text(inline: Token) -> str:
    """What a reader sees: no marks, no addresses; what stands for an image."""
    said = []
    for part in inline.children or ():
        match part.type:
            case "softbreak":
                said.append(" ")
            case "hardbreak":
                said.append("\n")
            case "html_inline":
                said.append("\n" if part.content.startswith("<br") else "")
            case _:
                said.append(part.content)
    return "".join(said)


def _anchor(heading: str, seen: Counter[str]) -> str:
    """The fragment that GitHub gives to a heading: the second of a name ends with -1."""
    kept = [c for c in heading.lower() if c in " -" or _KEPT.match(unicodedata.category(c))]
    name = "".join(kept).replace(" ", "-")
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name] - 1}"
