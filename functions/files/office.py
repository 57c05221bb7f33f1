"""The text of Word and Excel files, without macros, pictures and linked files.

A small file may unpack to gigabytes, name one cell in the last row of a sheet, or list one sheet a
thousand times. So its size and its entities are checked first, rows and columns are counted while
it is read, and all of that is done by a process of its own with limits of time and memory.

That process runs this module as a program, and the libraries are imported where they are used.
"""

import csv
import io
import logging
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Final
from xml.parsers import expat

from . import confined

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

CPU_SECONDS: Final = 10
"""Processor time for one file. 50,000 rows of ten cells took 4 seconds on the machine of tests."""
MAX_SECONDS: Final = 30
"""The same in time that passes, for a machine that is busy."""

_SHEETS: Final = "xl/worksheets/"
_XML: Final = (".xml", ".rels", ".vml")
_PROLOG_BYTES: Final = 65_536


def text(data: bytes, most: int) -> str | None:
    """The text of a .docx or .xlsx file, cut with a note after `most` characters.

    `None`, with a warning in the log, when it is neither, is damaged or exceeds the limits. It
    starts a process, and returns when that has ended.
    """
    try:
        arguments = [str(most), str(CPU_SECONDS)]
        told = confined.run(f"{__package__}.office", arguments, data, MAX_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        complaint = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        reason = complaint[-1] if complaint else type(error).__name__
        logger.warning("an Office file could not be read", extra={"reason": reason})
        return None
    return told.decode()


def _main(most: int, cpu_seconds: int) -> None:
    """Read a file from standard input, and write its text to standard output."""
    confined.limit(cpu_seconds, confined.MEMORY)
    try:
        read = _read(sys.stdin.buffer.read(), most)
    # The parsers raise many kinds of exceptions for damaged files. Their messages quote the file.
    except Exception as error:  # noqa: BLE001
        sys.exit(type(error).__name__)
    sys.stdout.buffer.write(read.encode(errors="replace"))


def _read(data: bytes, most: int) -> str:
    file = io.BytesIO(data)
    with zipfile.ZipFile(file) as archive:
        check(archive)
        names = archive.namelist()
    if any(name.startswith("word/") for name in names):
        return _cut(_word(file), most)
    if any(name.startswith("xl/") for name in names):
        return _cut(_excel(file, most), most)
    raise ValueError("it is neither")


def _cut(lines: Iterator[str], most: int) -> str:
    taken: list[str] = []
    left = most
    for line in lines:
        if len(line) > left:
            return "\n".join([*taken, line[: max(left, 0)], "[cut: the file has more]"])
        taken.append(line)
        left -= len(line) + 1
    return "\n".join(taken)


def check(archive: zipfile.ZipFile) -> None:
    """Raise `ValueError`, in words, for a file that is too large to read or declares entities.

    The sizes are those that the archive states; `zipfile` reads no more than these.
    """
    parts = archive.infolist()
    xml = [part for part in parts if part.filename.lower().endswith(_XML)]
    outside = [part.file_size for part in xml if not part.filename.startswith(_SHEETS)]
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or sum(outside) > MAX_XML:
        raise ValueError(
            f"It unpacks to more than {MAX_UNPACKED // 1_000_000} MB, to more than "
            f"{MAX_XML // 1_000_000} MB of XML outside of sheets, or to more than "
            f"{MAX_PARTS:,} parts."
        )
    for part in xml:
        with archive.open(part) as stream:
            _check_prolog(stream)


def _check_prolog(stream: IO[bytes]) -> None:
    """Entities are declared before the first element, and Office declares none."""
    seen: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: seen.append("doctype")
    parser.StartElementHandler = lambda *_: seen.append("element")
    # Excel's drawings (.vml) have HTML that is no XML, after the first element.
    with suppress(expat.ExpatError):
        parser.Parse(stream.read(_PROLOG_BYTES), False)
    if seen[:1] != ["element"]:
        raise ValueError("Its XML declares a document type or is none at all.")


def _word(file: IO[bytes]) -> Iterator[str]:
    from docx import Document  # noqa: PLC0415 - slow to import, and rarely needed

    yield from lines(Document(file).element.body)


def lines(parent: Any) -> Iterator[str]:
    """A line for each paragraph in an element of Word, and for each row of a table.

    It reads the elements, because python-docx leaves out content controls and tracked insertions.
    """
    for child in parent:
        match tag(child):
            case "p":
                yield "".join(words(child)).strip("\n")
            case "tr":
                cells = [cell for cell in child if tag(cell) in {"tc", "sdt"}]
                yield "\t".join(" ".join(lines(cell)) for cell in cells)
            case _:
                yield from lines(child)


def words(parent: Any) -> Iterator[str]:
    """The pieces of text in an element of Word, with its text boxes on lines of their own."""
    for part in parent:
        match tag(part):
            case "t":
                yield part.text or ""
            case "tab" if tag(parent) == "r":  # elsewhere it is a tab stop
                yield "\t"
            case "br" | "cr":
                yield "\n"
            case "p":  # of a text box
                yield "\n"
                yield from words(part)
            case "Fallback" | "moveFrom":  # what was said before, or is said elsewhere
                pass
            case _:
                yield from words(part)


def tag(element: Any) -> str:
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


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
