"""What type of file a document is, by its first bytes, and by its name where these say nothing."""

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final

from ...files import office
from .blocks import Block, UnreadableError

Reader = Callable[[bytes], tuple[str, Iterator[Block]]]
"""Gives the title that the file has, or an empty one, and the blocks, which are read one by one."""

READ: Final = "PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), HTML, Markdown, text and CSV"

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_BEFORE_2007: Final = {".doc": ".docx", ".ppt": ".pptx", ".xls": ".xlsx"}
_HTML: Final = {".html", ".htm", ".xhtml"}
_MARKDOWN: Final = {".md", ".markdown", ".mdx"}
_CSV: Final = {".csv", ".tsv"}
_TEXT: Final = {".txt", ".text", ".log", ".rst", ".adoc"}
_KNOWN_BY_BYTES: Final = {".pdf", ".docx", ".pptx", ".xlsx"}
_PDF_WITHIN: Final = 1024


def reader_of(data: bytes, name: str) -> Reader:
    """The reader of a file. Raises `UnreadableError` when there is none for it."""
    ending = PurePosixPath(name).suffix.lower()
    if b"%PDF-" in data[:_PDF_WITHIN]:
        from . import pdf  # noqa: PLC0415 - each process reads one file, and imports one reader

        return pdf.read
    if data.startswith(office.ZIP):
        return _reader_of_archive(data)
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise UnreadableError("It is encrypted. Save it without a password.")
        newer = _BEFORE_2007.get(ending)
        raise UnreadableError(
            f"It is a {ending} of Office 97 to 2003. Save it as {newer}."
            if newer
            else f"It is of Office 97 to 2003, or of another old program. {READ} are read."
        )
    if data.startswith(b"{\\rtf"):
        raise UnreadableError("It is RTF. Save it as .docx.")
    return _reader_of_text(data, ending)


def _reader_of_archive(data: bytes) -> Reader:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = archive.namelist()
        folders = {name.partition("/")[0] for name in names}
        if not folders & {"word", "ppt", "xl"}:
            if "mimetype" in names:
                raise UnreadableError(
                    "It is OpenDocument or EPUB. Save it as .docx, .xlsx or .pdf."
                )
            raise UnreadableError(f"It is an archive. Unpack it: {READ} are read.")
        try:
            office.check(archive)
        except ValueError as error:
            raise UnreadableError(str(error)) from error
    if "word" in folders:
        from . import word  # noqa: PLC0415

        return word.read
    if "ppt" in folders:
        from . import powerpoint  # noqa: PLC0415

        return powerpoint.read
    from . import excel  # noqa: PLC0415

    return excel.read


def _reader_of_text(data: bytes, ending: str) -> Reader:
    from . import plain_text  # noqa: PLC0415

    if ending in _HTML:
        from . import web_page  # noqa: PLC0415

        return web_page.read
    if ending in _MARKDOWN:
        from . import markdown  # noqa: PLC0415

        return markdown.read
    if ending in _CSV:
        from . import separated  # noqa: PLC0415

        return separated.read
    if ending in _TEXT or plain_text.is_text(data):
        return plain_text.read
    if ending in _KNOWN_BY_BYTES:
        raise UnreadableError(f"It is damaged, or no {ending} file. Save it again.")
    what = f"Files that end with {ending}" if ending else "Files of this type"
    raise UnreadableError(f"{what} are not read. {READ} are.")
