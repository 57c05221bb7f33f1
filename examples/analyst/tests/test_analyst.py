"""What the data analyst does, on scripted models and by its demo."""

import io
import json

import pytest
from chatkit.types import AssistantMessageItem, GeneratedImageItem

from functions.toolkit.testing import assistant_under_test, calls, says

ASSISTANT = "examples.analyst"
MINE = b"town;paid\nLyon;10\nNice;2.5\nLyon;-4\nNice;\n\nLyon;1\n"
SUMS = calls("compare", value="Paid", group="town")


def words(item) -> str:
    return json.dumps(item.model_dump(mode="json"), ensure_ascii=False)


async def test_it_computes_on_the_file_of_the_visitor_and_shows_a_chart():
    script = [SUMS, says("Lyon: 7 [rows 2, 4, 6].")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Which town paid most?", files={"Paid.CSV": MINE})
        assert said.call.result.splitlines() == [
            "**Lyon** has the most.",
            "",
            "- Lyon: 7 [rows 2, 4, 6]",
            "- Nice: 2.50 [row 3]",
        ]
        chart = said.widget.widget.model_dump(mode="json")["children"][1]
        assert chart["type"] == "Chart"
        assert chart["data"] == [{"name": "Lyon", "value": 7}, {"name": "Nice", "value": 2.5}]


async def test_an_answer_cites_the_rows_of_the_file_by_sources():
    answer = "Lyon: 7 [rows 2, 4, 6], and Nice: 2.5 [row 3]."
    async with assistant_under_test(ASSISTANT, [SUMS, says(answer)]) as chat:
        await chat.say("Which town paid most?", files={"paid.csv": MINE})
        stored = [item for item in await chat.items() if isinstance(item, AssistantMessageItem)]
        (part,) = stored[-1].content
        assert [(each.source.title, each.source.filename) for each in part.annotations] == [
            ("paid.csv, rows 2, 4, 6", "paid.csv"),
            ("paid.csv, row 3", "paid.csv"),
        ]
        places = [answer.index("]") + 1, len(answer) - 1]
        assert [each.index for each in part.annotations] == places


async def test_the_model_gets_the_name_of_the_file_and_not_its_rows():
    async with assistant_under_test(ASSISTANT, [says("I see.")]) as chat:
        said = await chat.say("Look.", files={"paid.csv": MINE})
        sent = json.dumps(said.sent[0].input)
        assert "paid.csv" in sent
        assert "Lyon" not in sent


async def test_the_newest_file_counts_also_in_later_messages():
    script = [says("One."), says("Two."), calls("describe_data"), says("It has towns.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        await chat.say("Here.", files={"first.csv": b"a,b\n1,2\n"})
        await chat.say("And here.", files={"second.csv": MINE, "notes.txt": b"Buy milk."})
        said = await chat.say("What is in it?")
        assert said.call.result.splitlines() == [
            "second.csv has 5 rows. Its columns:",
            "",
            "- **town**: 2 values, such as Lyon",
            "- **paid**: numbers from -4 to 10",
        ]


async def test_rows_are_shown_as_a_table_with_the_numbers_that_a_spreadsheet_gives_them():
    script = [calls("show_rows", sort_by="paid", descending=True, limit=2), says("There.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("The best two", files={"paid.csv": MINE})
        assert "[rows 2, 3]" in said.call.result
        table = words(said.widget)
        assert '"Table.Row"' in table
        assert '"value": "10"' in table
        assert '"value": "-4"' not in table


async def test_a_picture_is_stored_as_a_png_and_shown():
    from PIL import Image

    script = [calls("draw_chart", value="paid", group="town"), says("There.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Draw it", files={"paid.csv": MINE})
        (shown,) = [item for item in said.new if isinstance(item, GeneratedImageItem)]
        png = await chat.files.read_image(shown, chat.context)
        assert Image.open(io.BytesIO(png)).size == (1200, 260)


@pytest.mark.parametrize(
    ("name", "content", "arguments", "problem"),
    [
        ("x.csv", MINE, {"value": "price", "group": "town"}, "The columns are: town, paid."),
        ("x.csv", MINE, {"value": "town", "group": "paid"}, "There are no numbers in town."),
        ("x.csv", b"a,b\nNaN,1\n", {"value": "a", "group": "b"}, "There are no numbers in a."),
        ("x.csv", b"a,b\n", {"value": "a", "group": "b"}, "x.csv has no rows."),
        ("x.csv", b"a,b\n" + b"x" * 140_000, {"value": "a", "group": "b"}, "x.csv is no table"),
        ("x.csv", b"a,b\n1\n", {"value": "a", "group": "b"}, "(empty) has the most"),
        ("x.csv", b"a\xff\xfe,b\n1,2\n", {"value": "b", "group": "b"}, "2 has the most"),
    ],
)
async def test_the_model_is_told_what_is_wrong_with_a_file_or_a_column(
    name, content, arguments, problem
):
    script = [calls("compare", **arguments), says("I see.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Compare", files={name: content})
        assert problem in said.call.result.replace("**", "")


async def test_the_demo_leads_through_all_of_it_on_the_sample():
    async with assistant_under_test(ASSISTANT) as chat:
        assert "sales.csv has 36 rows" in (await chat.say("What is in the data?")).text
        said = await chat.say("Show me the 5 rows with the most revenue.")
        assert "Table.Row" in words(said.widget)
        said = await chat.say("Compare revenue by city.")
        assert "Berlin has the most" in said.text.replace("**", "")
        assert "sales.csv, rows" in words(said.items[-1])
        said = await chat.say("Draw revenue by product.")
        assert any(isinstance(item, GeneratedImageItem) for item in said.new)
