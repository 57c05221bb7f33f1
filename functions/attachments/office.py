"""The text of Word and Excel files. Macros, pictures and links to other files are not followed.

A small file may unpack to gigabytes, or name one cell in the last row of a sheet. So sizes, rows
and columns are bounded, and entities are refused, before a library sees the file.

The libraries are imported for the first such file, so that a cold start does not wait for them.
"""

import csv
import io
import logging
import zipfile
from collections.abc import Iterator
from typing import IO, Any, Final
from xml.parsers import expat

logger = logging.getLogger(__name__)

ZIP: Final = b"PK\x03\x04"
"""The first bytes of a Word or Excel file. An encrypted one, or one of before 2007, has others."""

MAX_UNPACKED: Final = 100_000_000
"""Bytes of everything in a file."""
MAX_XML: Final = 20_000_000
"""Bytes of all XML in a file but the sheets, which are read row by row."""
MAX_PARTS: Final = 5_000
MAX_ROWS: Final = 50_000
"""Rows of all sheets together; empty ones count."""
MAX_COLUMNS: Final = 256

_SHEETS: Final = "xl/worksheets/"
_XML: Final = (".xml", ".rels", ".vml")
_PROLOG_BYTES: Final = 65_536


def text(data: bytes, most: int) -> str | None:
    """The text of a .docx or .xlsx file, cut with a note after `most` characters.

    `None`, with a warning in the log, when it is neither, is damaged or exceeds the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive)
            names = archive.namelist()
        if any(name.startswith("word/") for name in names):
            return _cut(_word(io.BytesIO(data)), most)
        if any(name.startswith("xl/") for name in names):
            return _cut(_excel(io.BytesIO(data), most), most)
    # The parsers raise many kinds of exceptions for damaged files.
    except Exception as error:  # noqa: BLE001
        logger.warning("an Office file could not be read", extra={"reason": type(error).__name__})
    return None


def _cut(lines: Iterator[str], most: int) -> str:
    taken: list[str] = []
    left = most
    for line in lines:
        if len(line) > left:
            return "\n".join([*taken, line[:left], "[cut: the file has more]"])
        taken.append(line)
        left -= len(line) + 1
    return "\n".join(taken)


def _check(archive: zipfile.ZipFile) -> None:
    """Raise `ValueError` for a file that is too large to read, or that declares entities.

    The sizes are those that the archive states; `zipfile` reads no more than these.
    """
    parts = archive.infolist()
    xml = [part for part in parts if part.filename.lower().endswith(_XML)]
    outside = [part.file_size for part in xml if not part.filename.startswith(_SHEETS)]
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or sum(outside) > MAX_XML:
        raise ValueError("it is too large")
    for part in xml:
        with archive.open(part) as stream:
            _check_prolog(stream)


def _check_prolog(stream: IO[bytes]) -> None:
    """Entities are declared before the first element, and Office declares none."""
    seen: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: seen.append("doctype")
    parser.StartElementHandler = lambda *_: seen.append("element")
    parser.Parse(stream.read(_PROLOG_BYTES), False)
    if seen[:1] != ["element"]:
        raise ValueError("its XML does not begin with an element")


def _word(file: IO[bytes]) -> Iterator[str]:
    from docx import Document  # noqa: PLC0415 - slow to import, and rarely needed

    yield from _blocks(Document(file).element.body)


def _blocks(parent: Any) -> Iterator[str]:
    """A line for each paragraph, and for each row of a table.

    It reads the elements, because python-docx leaves out content controls and tracked insertions.
    """
    for child in parent:
        match _tag(child):
            case "p":
                yield "".join(_words(child))
            case "tbl":
                for row in child:
                    cells = [cell for cell in row if _tag(cell) in {"tc", "sdt"}]
                    if cells:
                        yield "\t".join(" ".join(_blocks(cell)) for cell in cells)
            case _:
                yield from _blocks(child)


def _words(paragraph: Any) -> Iterator[str]:
    for part in paragraph.iter():
        match _tag(part):
            case "t":
                yield part.text or ""
            case "tab" if _tag(part.getparent()) == "r":  # elsewhere it is a tab stop
                yield "\t"
            case "br" | "cr":
                yield "\n"


def _tag(element: Any) -> str:
    """An element's name without its namespace; a comment has none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _excel(file: IO[bytes], most: int) -> Iterator[str]:
    """The sheets as CSV, with the values that the formulas had when the file was saved."""
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, and rarely needed

    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    left = MAX_ROWS
    for sheet in book.worksheets:
        yield f"Sheet: {sheet.title}"
        for row in sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS):
            if left == 0:
                yield f"[cut after {MAX_ROWS} rows]"
                return
            left -= 1
            if any(value is not None for value in row):
                yield _csv("" if value is None else str(value)[:most] for value in row)


def _csv(cells: Iterator[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue().rstrip(",")
