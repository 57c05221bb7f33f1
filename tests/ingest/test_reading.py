"""Documents as blocks. LibreOffice and Chromium wrote `files/` (make_files.py)."""

import io
import subprocess
from pathlib import Path

import pypdf
import pytest

from functions.ingest import reading
from functions.ingest.reading import program, read

HERE = Path(__file__).parent


def blocks(data, name):
    """The blocks of a document, read in this process."""
    found = program.answer(data.encode() if isinstance(data, str) else data, name)
    return [reading.Block(**each) for each in found["blocks"]]


def of_file(name, folder="files"):
    return blocks((HERE / folder / name).read_bytes(), name)


def told(found):
    """Blocks in short: headings as (level, text), all others as text."""
    return [(b.level, b.text) if b.kind == "heading" else b.text for b in found]


def headings(found):
    return [(b.text, b.anchor) for b in found if b.kind == "heading"]


HOURS = "The shop opens at six. On Sundays it stays closed"
HOLIDAYS = "An Feiertagen öffnet der Laden um acht. Größere Bestellungen nimmt Jürgen entgegen."
LIST = "- Bring your key.\n- Switch on the oven first."
NOTE = "Except on the first Sunday of Advent."
BREAD = "Bread | Weight | Price\nWalnut loaf | 750 g | 4.80\nRoggenbrot | 1000 g | 5.20"


def test_a_word_file_has_headings_lists_tables_and_notes_where_they_are_referred_to():
    assert told(of_file("handbook.docx")) == [
        (0, "Handbook of the bakery"),
        (1, "Opening hours"),
        f"{HOURS}.",
        NOTE,
        LIST,
        (2, "Öffnungszeiten an Feiertagen"),
        HOLIDAYS,
        (1, "Prices"),
        "Prices hold until March.",
        BREAD,
    ]


def test_a_pdf_of_libreoffice_has_pages_and_the_headings_of_its_outline():
    found = of_file("handbook.pdf")
    assert told(found) == [
        "Handbook of the bakery",
        (1, "Opening hours"),
        f"{HOURS}1.\n{LIST}",
        (2, "Öffnungszeiten an Feiertagen"),
        f"{HOLIDAYS}\n1 {NOTE}",
        (1, "Prices"),
        "Prices hold until March.\n" + BREAD.replace(" |", ""),
    ]
    assert [block.page for block in found] == [1, 1, 1, 1, 1, 2, 2]


def test_a_pdf_of_a_browser_has_pages_and_headings_too():
    found = [(block.page, block.text) for block in of_file("recipes.pdf")]
    assert (1, "Walnut loaf") in found
    assert (2, "Roggenbrot") in found
    assert found[-1][1].startswith("Der Sauerteig ruht über Nacht bei 28 °C.\nZutat Menge")


def test_slides_have_titles_numbers_notes_and_tables_and_hidden_ones_are_left_out():
    found = of_file("slides.pptx")
    assert told(found) == [
        (1, "A second shop"),
        "We open in Graz in May.\nMiete: 1.900 Euro im Monat.",
        "Thank Anna for the contract.",
        (1, "Staff"),
        "City | Bakers\nGraz | 4",
    ]
    assert [block.page for block in found] == [1, 1, 1, 3, 3]


SALES = "Shop | Sold | Share | Day\nGraz | 1200 | 60% | 2026-01-31\nWien | 800 | 40% | 2026-02-28"


def test_a_workbook_has_its_sheets_and_their_tables_and_hidden_ones_are_left_out():
    assert told(of_file("sales.xlsx")) == [(1, "Sales 2026"), "Umsätze der Filialen", SALES]


def test_a_csv_file_is_a_table_below_its_caption():
    assert told(of_file("sales.csv")) == ["Umsätze der Filialen", SALES]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_separator_is_recognized_and_quoted_lines_stay_in_their_row(separator):
    rows = [["name", "note"], ["Köln", '"two\nlines"'], ["Graz", "x"]]
    data = "\r\n".join(separator.join(row) for row in rows)
    assert told(blocks(data, "a.csv")) == ["name | note\nKöln | two lines\nGraz | x"]


def test_html_that_libreoffice_wrote_is_read():
    found = told(of_file("handbook.html"))
    assert found[:1] == ["Handbook of the bakery"]
    for each in ((1, "Opening hours"), LIST, (2, "Öffnungszeiten an Feiertagen"), HOLIDAYS, BREAD):
        assert each in found


def test_html_has_anchors_and_neither_scripts_nor_navigation_nor_what_is_hidden():
    page = """<html><head><title>T &amp; U</title><script>no</script></head><body>
    <nav>no</nav><main><section id="first"><h1>One <a class=l href="#first">¶</a></h1>
    <p>A <b>bold</b>
    word<br>next<script>no</script><style>no</style></p><p style="display: none">no</p>
    <p hidden>no</p><!-- no --></section>
    <h2><a name="two"></a>Two</h2><table><tr><td><h3 id=t>Three</h3>laid out</td></tr></table>
    <pre>a  b
  c</pre><ul><li><p>x</p><ul><li>y</ul><li></li></ul>after</main><footer>no</footer></body></html>"""
    found = blocks(page, "a.html")
    assert told(found) == [
        (1, "One"),
        "A bold word\nnext",
        (2, "Two"),
        (3, "Three"),
        "laid out",
        "a  b\n  c",
        "- x\n  - y",
        "after",
    ]
    assert [anchor for _, anchor in headings(found)] == ["first", "two", "t"]
    assert read(page.encode(), "a.html").title == "T & U"


MARKDOWN = """---
tags: [a]
title: "The title"
---
# Größe & `code`!

One [link](https://example.com) *and*
two.

1. first

   more
   - inner
2. second

> ## Said

| a | b |
|---|---|
| 1 | **2** |

```sh
# no heading
make
```

## Again
## Again
<h2 id="raw">Raw <i>HTML</i></h2>
"""


def test_markdown_has_the_anchors_of_github_and_the_title_of_its_front_matter():
    found = blocks(MARKDOWN, "a.md")
    assert told(found) == [
        (1, "Größe & code!"),
        "One link and two.",
        "1. first\n  more\n  - inner\n2. second",
        "Said",
        "a | b\n1 | 2",
        "# no heading\nmake",
        (2, "Again"),
        (2, "Again"),
        (2, "Raw HTML"),
    ]
    anchors = [anchor for _, anchor in headings(found)]
    assert anchors == ["größe--code", "again", "again-1", "raw"]
    assert program.answer(MARKDOWN.encode(), "a.md")["title"] == "The title"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_other_encodings_is_read_in_paragraphs(encoding):
    data = "Über Öfen und Größen\r\nzwei\r\n\r\nfür alle: müssen, können, hätte".encode(encoding)
    assert told(blocks(data, "a.txt")) == [
        "Über Öfen und Größen\nzwei",
        "für alle: müssen, können, hätte",
    ]


@pytest.mark.parametrize(
    ("data", "name", "title"),
    [
        ("# Head\ntext", "docs/a.md", "Head"),
        ("<p>short line", "a.html", "short line"),
        ("long line " * 50, "docs/Fire drill.txt", "Fire drill"),
        ("a,b\n1,2", "docs/prices.csv", "prices"),
    ],
)
def test_a_document_without_a_title_is_called_by_its_beginning_or_its_name(data, name, title):
    assert program.answer(data.encode(), name)["title"] == title


def test_a_pdf_without_a_title_is_called_by_its_first_line_and_not_by_its_first_heading():
    writer = pypdf.PdfWriter(clone_from=HERE / "files" / "handbook.pdf")
    writer.metadata = None
    out = io.BytesIO()
    writer.write(out)
    assert program.answer(out.getvalue(), "a.pdf")["title"] == "Handbook of the bakery"


def test_a_document_is_read_by_a_process_that_knows_no_secret(monkeypatch):
    environments = []
    run = subprocess.run

    def noted(command, **options):
        environments.append(options["env"])
        return run(command, **options)

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(subprocess, "run", noted)
    found = read((HERE / "files" / "handbook.docx").read_bytes(), "docs/handbook.docx")
    assert found.title == "Handbook of the bakery"
    assert found.blocks == of_file("handbook.docx")
    assert len(environments) == 1
    assert "sk-secret" not in str(environments)


def test_a_fault_of_the_reader_is_not_blamed_on_the_document(monkeypatch):
    """It is raised, so that the document comes again."""
    monkeypatch.setattr(reading, "CPU_SECONDS", "no number")
    with pytest.raises(subprocess.CalledProcessError):
        read(b"words", "a.txt")
