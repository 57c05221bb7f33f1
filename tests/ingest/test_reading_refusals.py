"""Documents that cannot be read, and small ones that explode: refused in words, at once."""

import io
import time
import zipfile
import zlib
from pathlib import Path

import pypdf
import pytest

from functions.files import office
from functions.ingest import reading
from functions.ingest.reading import UnreadableError, excel, program, read
from functions.ingest.reading.plain_text import MAX_CHARACTERS
from functions.ingest.reading.separated import MAX_COLUMNS, MAX_ROWS

FILES = Path(__file__).parent / "files"


def changed(name, parts):
    """An Office file with other parts, or more of them."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(FILES / name) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for each in dict.fromkeys([*old.namelist(), *parts]):
            new.writestr(each, parts[each] if each in parts else old.read(each))
    return out.getvalue()


def stream(data, extra=b"", times=1):
    for _ in range(times):
        data = zlib.compress(data, 9)
    filters = b"/FlateDecode " * times
    return b"<<%s/Length %d/Filter[%s]>>stream\n%s\nendstream" % (extra, len(data), filters, data)


WORDS = b"BT /F 12 Tf 50 700 Td (Hello words) Tj ET\n"


def pdf(content, *, kids=b"3 0 R", resources=b"<</Font<</F 5 0 R>>>>", more=None):
    """A PDF whose first page has this content. `more` are further objects, by number."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Count %d/Kids[%s]>>" % (kids.count(b"R"), kids),
        3: b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources %s>>" % resources,
        4: content,
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **(more or {}),
    }
    out = b"%PDF-1.7\n"
    places = {}
    for number, each in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    size = len(places) + 1
    end = b"trailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def encrypted():
    writer = pypdf.PdfWriter(FILES / "recipes.pdf")
    writer.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


def sheet(rows):
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    size = '<dimension ref="A1"/>'  # which is not true
    xml = f'<worksheet xmlns="{main}">{size}<sheetData>{rows}</sheetData></worksheet>'
    return changed("sales.xlsx", {"xl/worksheets/sheet1.xml": xml})


def cell(place):
    return f'<c r="{place}"><v>1</v></c>'


def forms():
    """Each draws the next one twice, 34 times."""
    kind = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A %d 0 R>>>>"
    inner = {n: stream(b"/A Do /A Do ", kind % (n + 1)) for n in range(6, 40)}
    return inner | {40: stream(WORDS)}


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
ENTITIES = '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><p>&b;</p>'
SCAN = "It has no text. Scans are not read"
DEEP = "nested too deeply"
ROWS = f"It has more than {MAX_ROWS:,} rows"


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b" \n", "a.txt", "It is empty."),
        (bytes(range(256)) * 9, "a.pdf", "It is damaged, or no .pdf file"),
        (bytes(range(256)) * 9, "a.docx", "It is damaged, or no .docx file"),
        (bytes(range(256)) * 9, "a.png", "Files that end with .png are not read. PDF, Word"),
        (bytes(range(256)) * 9, "a.txt", "It is no text"),
        (OLE, "a.doc", "It is a .doc of Office 97 to 2003. Save it as .docx."),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", "It is encrypted."),
        (archive("a.txt"), "a.docx", "It is an archive."),
        (archive("mimetype", "content.xml"), "a.odt", "It is OpenDocument or EPUB."),
        (archive("word/document.xml"), "a.docx", "Its XML declares a document type or is none"),
        ((FILES / "handbook.docx").read_bytes()[:3000], "a.docx", "It is damaged"),
        ((FILES / "handbook.pdf").read_bytes()[:300], "a.pdf", "It is damaged"),
        (encrypted(), "a.pdf", "The PDF is encrypted."),
        (pdf(stream(b"")), "a.pdf", SCAN),
        (b"<script>x</script>", "a.html", "It has no text."),
        # Bombs
        (pdf(stream(WORDS), kids=b"3 0 R " * 2_001), "a.pdf", "It has 2,001 pages"),
        (pdf(stream(WORDS), kids=b"3 0 R " * 120_000), "a.pdf", "What lists its pages is too"),
        (pdf(stream(WORDS), kids=b"2 0 R"), "a.pdf", "It is damaged"),
        (pdf(stream(bytes(30_000_000))), "a.pdf", "Page 1 is too large."),
        (pdf(stream(bytes(90_000_000), times=2)), "a.pdf", "Page 1 is too large."),
        (pdf(stream(b"[" * 100_000 + WORDS)), "a.pdf", DEEP),
        (changed("slides.pptx", {"ppt/a.bin": bytes(office.MAX_UNPACKED)}), "a", "It unpacks"),
        (changed("slides.pptx", {"ppt/presentation.xml": ENTITIES}), "a.pptx", "Its XML declares"),
        (changed("handbook.docx", {f"word/{n}": b"" for n in range(5_001)}), "a", "It unpacks"),
        (sheet(f"<row>{cell('XFD1')}</row>"), "a.xlsx", f"It has more than {MAX_COLUMNS} columns"),
        (b"a,b\n" * (MAX_ROWS + 1), "a.csv", ROWS),
        (b"a," * 100_000, "a.csv", f"It has more than {MAX_COLUMNS} columns"),
        (b"a " * (MAX_CHARACTERS // 2 + 1), "a.txt", "It has more than 10,000,000 characters"),
        (b"<p>" + b"<div>" * 100_000 + b"x", "a.html", DEEP),
        (b"<p>" + b"<b>" * 230 + b"x", "a.html", DEEP),
        (b"<nav>" + b"<p><div>" * 300 + b"</div>" * 300 + b"</nav>lost", "a.html", DEEP),
        (b"> " * 5_000 + b"x", "a.md", DEEP),
        (b"".join(b"  " * n + b"- x\n" for n in range(200)), "a.md", DEEP),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_refused_in_words(data, name, reason):
    started = time.process_time()
    assert reason in program.answer(data, name).get("reason", "it was read")
    assert time.process_time() - started < 5


def test_a_pdf_that_may_be_read_but_not_changed_is_read():
    writer = pypdf.PdfWriter(FILES / "recipes.pdf")
    writer.encrypt("", "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert program.answer(out.getvalue(), "a.pdf")["title"] == "Recipes of the bakery"


@pytest.mark.parametrize(
    "data",
    [
        pdf(stream(WORDS * 20_000), kids=b"3 0 R " * 2_000),
        pdf(stream(b"/A Do"), resources=b"<</XObject<</A 6 0 R>>>>", more=forms()),
    ],
    ids=["pages", "forms"],
)
def test_a_document_that_takes_too_long_is_given_up(monkeypatch, data):
    monkeypatch.setattr(reading, "CPU_SECONDS", 1)
    with pytest.raises(UnreadableError, match="It takes too long"):
        read(data, "a.pdf")


def test_a_document_that_needs_too_much_memory_is_given_up(monkeypatch):
    monkeypatch.setattr(reading, "MEMORY", 200_000_000)
    with pytest.raises(UnreadableError, match="It needs too much memory"):
        read(b"<p>a" * 1_500_000, "a.html")


@pytest.mark.parametrize(
    "rows",
    ["<row/>" * 101, f'<row>{cell("A1")}</row><row r="1048576">{cell("A1048576")}</row>'],
    ids=["rows", "last"],
)
def test_a_sheet_with_too_many_rows_is_refused_empty_ones_too(monkeypatch, rows):
    monkeypatch.setattr(excel, "MAX_ROWS", 100)
    assert ROWS in program.answer(sheet(rows), "a.xlsx")["reason"]


def test_a_file_that_is_too_large_starts_no_process():
    with pytest.raises(UnreadableError, match="It has more than 100 MB"):
        read(bytes(reading.MAX_BYTES + 1), "a.pdf")
