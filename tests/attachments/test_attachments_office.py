"""Word and Excel files as text. `files/` has two that LibreOffice wrote."""

import io
import re
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from functions.attachments import AttachmentError
from functions.attachments.content import MAX_TEXT_OF_A_FILE
from functions.attachments.schema import EXCEL, WORD
from functions.files import office
from functions.settings import Settings
from tests.attachments.test_attachments_content import shown
from tests.attachments.test_attachments_upload import announced, uploaded

FILES = Path(__file__).parent / "files"
DOCX = (FILES / "report.docx").read_bytes()
XLSX = (FILES / "sales.xlsx").read_bytes()


def changed(data, parts):
    """The file with other, or more, parts."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in dict.fromkeys([*old.namelist(), *parts]):
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return out.getvalue()


def padded(data, part):
    """The file with too much XML in one of its parts, which says the same as before."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read(part)
    return changed(data, {part: xml + b" " * office.MAX_XML})


def document(body):
    """A .docx with this body, in the namespace of Word."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'
    return changed(DOCX, {"word/document.xml": xml})


def workbook(fill):
    made, out = Workbook(), io.BytesIO()
    fill(made.active)
    made.save(out)
    return out.getvalue()


async def test_a_word_file_is_shown_as_text(place, ada):
    part = await shown(place, ada, DOCX, "report.docx", WORD)
    for line in (
        "Quarterly report\nGröße & Gewicht: 名前 bold words.\nfirst point",
        "Product\tSold\nWalnuts\t1200\nÄpfel\t980",
    ):
        assert line in part["text"]


async def test_an_excel_file_is_shown_as_tables_with_values(place, ada):
    part = await shown(place, ada, XLSX, "sales.xlsx", EXCEL)
    expected = (
        'Sheet: Sales 2026\nProduct,"Sold, total",Day\n名前 Äpfel,1200,2026-01-31 00:00:00\n'
        "Sum,2400\nSheet: Notes\nwalnuts"
    )
    assert f">\n{expected}\n</data" in part["text"]


def test_insertions_fields_to_fill_in_and_nested_tables_are_read_and_deletions_are_not():
    def words(text):
        return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"

    nested = f"<w:tbl><w:tr><w:tc>{words('inner')}</w:tc></w:tr></w:tbl>"
    data = document(
        "<w:p><w:ins><w:r><w:t>inserted</w:t><w:br/><w:tab/></w:r></w:ins>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>"
        f"<w:sdt><w:sdtContent>{words('field')}</w:sdtContent></w:sdt><!-- comment -->"
        f"<w:tbl><w:tr><w:tc>{words('outer')}{nested}</w:tc><w:tc>{words('x')}</w:tc></w:tr></w:tbl>"
    )
    assert office.text(data, 1000) == "inserted\n\t\nfield\nouter inner\tx"


def test_rows_in_content_controls_are_read_and_text_boxes_and_moved_text_only_once():
    def words(text):
        return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"

    box = f"<w:txbxContent>{words('one')}{words('two')}</w:txbxContent>"
    markup = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    data = document(
        f"<w:tbl><w:sdt><w:sdtContent><w:tr><w:tc>{words('row')}</w:tc></w:tr></w:sdtContent>"
        "</w:sdt></w:tbl>"
        f'<w:p><w:r><w:t>a box:</w:t><mc:AlternateContent xmlns:mc="{markup}">'
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
        "</w:p><w:p><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>"
        "<w:p><w:moveTo><w:r><w:t>moved</w:t></w:r></w:moveTo></w:p>"
    )
    assert office.text(data, 1000) == "row\na box:\none\ntwo\n\nmoved"


@pytest.mark.parametrize(
    ("data", "macros"), [(DOCX, "word/vbaProject.bin"), (XLSX, "xl/vbaProject.bin")]
)
def test_macros_are_ignored(data, macros):
    with_macros = changed(data, {macros: b"Sub AutoOpen()\nEnd Sub"})
    assert office.text(with_macros, 10_000) == office.text(data, 10_000)


def test_a_workbook_with_a_drawing_of_comments_is_read():
    drawing = b'<xml xmlns:v="urn:schemas-microsoft-com:vml"><div>a<br>b</div></xml>'
    data = changed(XLSX, {"xl/drawings/vmlDrawing1.vml": drawing})
    assert office.text(data, 10_000) == office.text(XLSX, 10_000)


@pytest.mark.parametrize("length", [9, 10, 11])
def test_a_text_is_cut_wherever_its_lines_end(length):
    data = document("".join(f"<w:p><w:r><w:t>{x * 10}</w:t></w:r></w:p>" for x in "abc"))
    cut = office.text(data, length)
    assert cut.removesuffix("\n[cut: the file has more]").replace("\n", "") == "a" * min(length, 10)


async def test_a_long_office_file_is_cut_with_a_note(place, ada):
    def fill(sheet):
        for _ in range(3_000):
            sheet.append(["walnuts " * 10])

    part = await shown(place, ada, workbook(fill), "a.xlsx", EXCEL)
    assert "[cut: the file has more]" in part["text"]
    assert len(part["text"]) < MAX_TEXT_OF_A_FILE + 500


ENTITIES = '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "data",
    [
        changed(DOCX, {"word/media/image1.png": bytes(office.MAX_UNPACKED)}),
        padded(DOCX, "word/styles.xml"),
        padded(XLSX, "xl/sharedStrings.xml"),
        changed(DOCX, {"word/document.xml": ENTITIES + "<w>&b;</w>"}),
        changed(DOCX, {"word/document.xml": (ENTITIES + "<w>&b;</w>").encode("utf-16")}),
        changed(XLSX, {"xl/worksheets/sheet1.xml": ENTITIES + "<w>&b;</w>"}),
        changed(DOCX, {f"word/{number}": b"" for number in range(office.MAX_PARTS)}),
        DOCX[:3000],
        document("<w:p>" * 400 + "</w:p>" * 400),
        office.ZIP + bytes(100),
    ],
    ids=[
        "bomb", "styles", "strings", "entities", "utf-16", "sheet", "parts", "cut off", "deep",
        "no archive",
    ],
)  # fmt: skip
async def test_a_damaged_or_hostile_file_is_named_at_once(place, ada, data):
    started = time.perf_counter()
    part = await shown(place, ada, data, "a.docx", WORD)
    assert "damaged or too large" in part["text"]
    assert time.perf_counter() - started < 3


@pytest.fixture
def one_second(monkeypatch):
    monkeypatch.setattr(office, "CPU_SECONDS", 1)


@pytest.mark.usefixtures("one_second")
async def test_a_workbook_that_lists_a_sheet_many_times_is_given_up(place, ada, caplog):
    sheets = "".join(f'<sheet name="s{n}" sheetId="{n + 1}" r:id="rId1"/>' for n in range(200))
    with zipfile.ZipFile(io.BytesIO(XLSX)) as archive:
        book = archive.read("xl/workbook.xml").decode()
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        links = archive.read("xl/_rels/workbook.xml.rels").decode()
    first = re.search(r'<sheets>.*?r:id="(\w+)"', book, re.DOTALL)[1]
    assert first in links
    book = re.sub(
        r"<sheets>.*</sheets>",
        f"<sheets>{sheets.replace('rId1', first)}</sheets>",
        book,
        flags=re.DOTALL,
    )
    junk = "<cols>" + '<col min="1" max="1"/>' * 200_000 + "</cols>"
    sheet = re.sub(r"<dimension[^>]*/>|<cols>.*</cols>", "", sheet, flags=re.DOTALL)
    parts = {
        "xl/workbook.xml": book,
        "xl/worksheets/sheet1.xml": sheet.replace("<sheetData>", f"{junk}<sheetData>"),
    }
    part = await shown(place, ada, changed(XLSX, parts), "a.xlsx", EXCEL)
    assert "damaged or too large" in part["text"]
    assert caplog.records[-1].reason == "CalledProcessError"  # and not the time limit


async def test_a_document_under_the_name_of_a_sheet_does_not_fill_the_memory(place, ada, caplog):
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "<w:p/>" * (office.MAX_UNPACKED // 7)
    name = "xl/worksheets/d.xml"
    with zipfile.ZipFile(io.BytesIO(DOCX)) as archive:
        types = archive.read("[Content_Types].xml").decode().replace("word/document.xml", name)
        links = archive.read("_rels/.rels").decode().replace("word/document.xml", name)
    parts = {
        "[Content_Types].xml": types,
        "_rels/.rels": links,
        name: f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>',
    }
    part = await shown(place, ada, changed(DOCX, parts), "a.docx", WORD)
    assert "damaged or too large" in part["text"]
    ended_by_time = {"CalledProcessError", "TimeoutExpired"}
    assert caplog.records[-1].reason not in ended_by_time


def test_the_reader_of_office_files_sees_no_secret(monkeypatch):
    started = []

    def run(command, **options):
        started.append(options["env"])
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/var/lang/lib")  # Lambda's Python needs it
    monkeypatch.setattr(subprocess, "run", run)
    assert office.text(DOCX, 10) == ""
    assert "sk-secret" not in str(started)
    assert started[0]["LD_LIBRARY_PATH"] == "/var/lang/lib"


def test_a_sheet_with_a_cell_in_its_last_corner_is_read_in_bounded_time():
    def fill(sheet):
        sheet["A1"], sheet["XFD1048576"] = "first", "last"

    started = time.perf_counter()
    assert office.text(workbook(fill), 1000) == "Sheet: Sheet\nfirst\n[cut after 50000 rows]"
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("mime_type", [WORD, EXCEL])
@pytest.mark.parametrize("data", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"hello"])
async def test_an_encrypted_or_older_office_file_is_refused_in_words(place, ada, mime_type, data):
    made = await uploaded(place, ada, data, mime_type=mime_type)
    with pytest.raises(AttachmentError, match=r"not a valid .* password"):
        await place.files().check_uploaded(made, ada)


@pytest.mark.parametrize("given", ["", "application/octet-stream", "application/zip"])
@pytest.mark.parametrize(("name", "known"), [("A.DOCX", WORD), ("名前.xlsx", EXCEL)])
async def test_office_files_are_taken_whatever_type_a_browser_gives_them(
    place, ada, name, known, given
):
    files = place.files(types=Settings().attachment_types)
    assert (await files.create_attachment(announced(name, 4, given), ada)).mime_type == known
