"""HTML: what the page says, without scripts, styles, navigation and what is hidden."""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from lxml import etree, html

from ...files import text
from .blocks import Block, UnreadableError, one_line, table
from .plain_text import decoded

MAX_DEPTH: Final = 200
"""Elements inside of each other. libxml2 itself gives up at 256, in silence."""

_LEFT_OUT: Final = re.compile(
    r"audio|base|button|canvas|datalist|dialog|embed|head|iframe|input|link|menu|meta|nav|noscript"
    r"|object|option|script|select|style|svg|template|textarea|title|video"
)
_NAVIGATION: Final = frozenset({"navigation", "search", "menu", "menubar", "toolbar"})
_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_INLINE: Final = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|math|output"
    r"|q|rp|rt|ruby|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_LISTS: Final = frozenset({"ul", "ol"})
_CHARSET: Final = re.compile(rb"""(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{1,40})""")
_CHARSET_WITHIN: Final = 4096


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title of the page, and the blocks."""
    root = _parsed(_decoded(data))
    if root is None:
        return "", iter(())
    title = root.find(".//head/title")
    name = "" if title is None else one_line(title.text_content())
    return name, _Page().blocks(_main(root))


def _main(root: Any) -> Any:
    """The element that the page marks as its content, or all of it. Several articles are a list."""
    for tag in ("main", "article"):
        marked = list(root.iter(tag))
        if len(marked) == 1 and marked[0].text_content().strip():
            return marked[0]
    return root


def fragment(source: str) -> Iterator[Block]:
    """The blocks of HTML inside of another document, such as Markdown."""
    root = _parsed(source)
    return iter(()) if root is None else _Page().blocks(root)


def _decoded(data: bytes) -> str:
    """Unicode goes before what the page says: editors change the one and forget the other."""
    found = text.unicode(data)
    declared = _CHARSET.search(data[:_CHARSET_WITHIN])
    if found is None and declared:
        with suppress(LookupError, UnicodeDecodeError):
            found = codecs.lookup(declared[1].decode()).decode(data)[0]
    return decoded(data) if found is None else found


def _parsed(source: str) -> Any:
    """The root element, or `None` when there is none."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(source.encode(errors="replace"), parser=parser)
    except etree.ParserError:
        return None  # it has no element and no text
    except etree.XMLSyntaxError as error:
        raise MemoryError from error  # the parser mends everything else
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise UnreadableError("Its elements are nested too deeply.")
    return root


class _Page:
    """Walks through the elements, and collects the text that is not in a block yet."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._items: list[str] = []
        self._lists = 0

    def blocks(self, root: Any) -> Iterator[Block]:
        yield from self._element(root, 0)
        yield from self._flush()
        yield from self._flush_list()

    def _element(self, element: Any, depth: int) -> Iterator[Block]:
        if depth > MAX_DEPTH:
            raise UnreadableError("Its elements are nested too deeply.")
        tag = element.tag if isinstance(element.tag, str) else ""
        if not tag or _is_left_out(element):
            return
        if tag == "br":
            self._text.append("\n")
        elif tag == "img":
            self._text.append(_words(element.get("alt")))
        elif _INLINE.fullmatch(tag):
            yield from self._children(element, depth)
        else:
            yield from self._flush()
            yield from self._block(tag, element, depth)

    def _block(self, tag: str, element: Any, depth: int) -> Iterator[Block]:
        if tag in _HEADINGS:
            yield from self._flush_list()
            yield from self._children(element, depth)
            heading = one_line("".join(self._text)).rstrip("¶ ")  # Sphinx writes a link there
            self._text = []
            if heading:
                yield Block("heading", heading, _HEADINGS[tag], anchor=_anchor(element))
        elif tag == "table" and _is_of_data(element):
            yield from self._flush_list()
            yield from _table(element)
        elif tag == "pre":
            yield from self._said(element.text_content().strip("\n"))
        elif tag in _LISTS:
            self._lists += 1
            yield from self._children(element, depth)
            yield from self._flush()
            self._text = []
            self._lists -= 1
            if not self._lists:
                yield from self._flush_list()
        else:
            if tag == "li":
                self._text = ["- "]
            yield from self._children(element, depth)
            yield from self._flush()

    def _children(self, element: Any, depth: int) -> Iterator[Block]:
        self._text.append(_words(element.text))
        for child in element:
            yield from self._element(child, depth + 1)
            self._text.append(_words(child.tail))

    def _flush(self) -> Iterator[Block]:
        """The text since the last block; inside of a list it waits for the rest of the list."""
        lines = [" ".join(line.split()) for line in "".join(self._text).split("\n")]
        said = "\n".join(filter(None, lines))
        self._text = []
        if not said.strip("- \n"):
            if said.startswith("-"):
                self._text = ["- "]  # the item's text is in an element of its own
        else:
            yield from self._said(said)

    def _said(self, text: str) -> Iterator[Block]:
        if self._lists:
            self._items.append("  " * (self._lists - 1) + text)
        elif text.strip():
            yield Block("text", text)

    def _flush_list(self) -> Iterator[Block]:
        if self._items:
            yield Block("text", "\n".join(self._items))
        self._items = []


def _table(element: Any) -> Iterator[Block]:
    caption = element.find("caption")
    if caption is not None and (said := one_line(caption.text_content())):
        yield Block("text", said)
    yield from table(
        [" ".join(cell.itertext()) for cell in row.iterchildren("th", "td")]
        for row in element.iter("tr")
    )


def _words(text: str | None) -> str:
    """Line ends in the source are spaces."""
    return re.sub(r"\s", " ", text or "")


def _is_left_out(element: Any) -> bool:
    return (
        bool(_LEFT_OUT.fullmatch(element.tag))
        or element.get("role") in _NAVIGATION
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or bool(_HIDDEN.search(element.get("style", "")))
    )


def _is_of_data(element: Any) -> bool:
    """Whether a table has rows of data. Others lay out the page."""
    if element.get("role") in {"presentation", "none"}:
        return False
    return not any(each is not element for each in element.iter("table", *_HEADINGS))


def _anchor(heading: Any) -> str | None:
    """The id of a heading, of an anchor inside it, or of the element that it begins."""
    found = None
    for element in heading.iter():
        if found := element.get("id") or (element.get("name") if element.tag == "a" else None):
            return str(found)
    parent = heading.getparent()
    if parent is not None and heading.getprevious() is None:
        found = parent.get("id")
    return str(found) if found else None
