"""Reads one document, in a process of its own: bytes on standard input, JSON on standard output."""

import json
import logging
import re
import sys
from pathlib import PurePosixPath
from typing import Any, Final

from ...files import confined
from .blocks import MAX_CHARACTERS, TOO_MUCH_TEXT, Block, UnreadableError
from .kinds import reader_of

MAX_TITLE: Final = 200

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TITLE_OF_A_PROGRAM: Final = re.compile(r"^Microsoft (?:Word|Excel|PowerPoint) - ")


def answer(data: bytes, name: str) -> dict[str, Any]:
    """`title` and `blocks` of a document, or the `reason` why it cannot be read."""
    try:
        title, blocks = _read(data, name)
    except UnreadableError as error:
        return {"reason": error.reason}
    except MemoryError:
        return {"reason": "It needs too much memory to be read. Divide it."}
    except RecursionError:
        return {"reason": "Its parts are nested too deeply."}
    except ImportError:
        raise  # this function is damaged, and not the document
    # The parsers raise many kinds of exceptions for damaged files. Their messages quote the file.
    except Exception as error:  # noqa: BLE001
        return {"reason": f"It is damaged, and cannot be opened ({type(error).__name__})."}
    return {"title": title, "blocks": [vars(block) for block in blocks]}


def _read(data: bytes, name: str) -> tuple[str, list[Block]]:
    if not data.strip():
        raise UnreadableError("It is empty.")
    title, found = reader_of(data, name)(data)
    blocks: list[Block] = []
    characters = 0
    for block in found:
        text = _clean(block.text)
        if not text.strip():
            continue
        characters += len(text)
        if characters > MAX_CHARACTERS:
            raise UnreadableError(TOO_MUCH_TEXT)
        blocks.append(Block(block.kind, text, block.level, block.page, block.anchor))
    if not blocks:
        raise UnreadableError("It has no text.")
    return _title(title, blocks, name), blocks


def _clean(text: str) -> str:
    """The text without control characters and halves of characters, which no index takes."""
    return _CONTROLS.sub(" ", text).encode(errors="replace").decode()


def _title(given: str, blocks: list[Block], name: str) -> str:
    """The title that the file has; else its first heading, or a short line at its beginning, which
    goes first in a PDF: headings there leave out the title. Else the name of the file.
    """
    given = _TITLE_OF_A_PROGRAM.sub("", " ".join(_clean(given).split()))
    headings = [block.text for block in blocks if block.kind == "heading"]
    first = blocks[0].text.split("\n")[0] if blocks[0].kind == "text" else ""
    first = first if len(first) <= MAX_TITLE // 2 else ""
    candidates = [given, first if blocks[0].page else "", *headings[:1], first]
    return next(filter(None, candidates), PurePosixPath(name).stem or name)[:MAX_TITLE]


def main(name: str, cpu_seconds: int, memory: int) -> None:
    """Answer for the file on standard input."""
    confined.limit(cpu_seconds, memory)
    logging.disable()  # what libraries complain about quotes the file
    told = answer(sys.stdin.buffer.read(), name)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
