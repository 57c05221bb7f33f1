"""make report: a page and a sheet of what was counted."""

import asyncio
import csv
import json
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser

import boto3
import pytest
from moto import mock_aws

from functions.store import create_table
from functions.store.keys import stamp
from functions.store.table import Table
from functions.store.totals import Change, Person, Place, Question, Totals
from infra.cli import command
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.report import write
from infra.cli.typed import CommandError
from infra.report.colours import LIGHT_AND_DARK
from infra.stack.context import read_settings
from tests.support.cloud import own_cloud

REGION = "eu-central-1"
SETTINGS = read_settings({"region": REGION})
NOW = datetime.now(UTC)
TODAY = NOW.date().isoformat()
CHANGE = Change(
    "event-1",
    {
        Place(TODAY): Counter({"messages": 3, "feedback:positive": 2, "feedback:negative": 1}),
        Place(TODAY, "openai", "gpt-5"): Counter(
            {
                "answers": 2,
                "input": 1200,
                "output": 300,
                "microdollars": 12_500,
                "first:20": 2,
                "outcome:completed": 2,
                "outcome:failed": 1,
                "error:RateLimitError": 1,
                "calls:add_note": 2,
                "failed:add_note": 1,
            }
        ),
    },
    Person(TODAY, "somebody"),
    Question(
        {"pk": {"S": "U#u#T#t"}, "sk": {"S": "FB#i"}},
        stamp(NOW),
        why="thumb down",
        thread="thr_1",
        item="msg_1",
        text="<script>alert(1)</script>",
    ),
)


class Read(HTMLParser):
    """The tags of a page with their attributes, and its ids."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids = Counter(), Counter()
        self.links = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags[tag] += 1
        self.ids.update([given["id"]] if "id" in given else [])
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href", "srcset")]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder with the report of a stage's two days."""
    out = tmp_path_factory.mktemp("out") / "new"
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        client = boto3.client("dynamodb")
        create_table(client, "conversations")
        asyncio.run(Totals(Table("conversations", client)).count([CHANGE]))
        body = {
            "Resources": {"Q": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {"TableName": {"Value": "conversations"}},
        }
        boto3.client("cloudformation").create_stack(
            StackName="chatkit-dev", TemplateBody=json.dumps(body)
        )
        command.run("report", ["--out", str(out), "--days", "2"], SETTINGS, Account(SETTINGS))
    return out


def test_the_sheet_has_every_number_that_was_counted(written):
    rows = list(csv.DictReader((written / "report.csv").read_text().splitlines()))
    numbers = {(row["measure"], row["name"]): row["number"] for row in rows}
    assert numbers == {
        ("people", ""): "1",
        ("messages", ""): "3",
        ("outcome", "completed"): "2",
        ("outcome", "failed"): "1",
        ("error", "RateLimitError"): "1",
        ("feedback", "positive"): "2",
        ("feedback", "negative"): "1",
        ("calls", "add_note"): "2",
        ("failed calls", "add_note"): "1",
        ("answers", ""): "2",
        ("inputTokens", ""): "1200",
        ("outputTokens", ""): "300",
        ("dollars", ""): "0.0125",
        ("firstTokenP50Ms", ""): "420",
        ("firstTokenP90Ms", ""): "420",
    }


def test_the_page_shows_the_same_and_the_question(written):
    page = (written / "report.html").read_text()
    assert "The stage dev" in page
    for shown in ("gpt-5 (openai)", "RateLimitError", "add_note", "thumb down", "thr_1", TODAY):
        assert shown in page


def test_the_page_loads_nothing_runs_nothing_and_is_drawn_in_the_readers_colours(written):
    page = (written / "report.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    read = Read(page)
    assert read.tags["svg"] == read.tags["details"] == 8, "each figure has a table"
    assert read.tags["script"] == read.tags["link"] == read.tags["img"] == 0
    assert all(link.startswith("#") for link in read.links)
    assert set(read.ids.values()) == {1}
    # Beside the style sheet, which defines them, there are variables and no colours.
    _, drawn = page.split("</style>", 1)
    assert "#" not in "".join(part[:1] for part in drawn.split("fill: ")[1:])
    for name in ("ink", "muted", "grid", "first", "good", "bad"):
        assert f"var(--{name})" in drawn
        assert f"--{name}:{LIGHT_AND_DARK[name][1]}" in page


@pytest.mark.parametrize(
    ("folder", "days", "said"),
    [
        (None, None, "Name a folder"),
        ("x", "0", r"DAYS=0 is not a whole number from 1 to 366\."),
        ("x", "many", "DAYS=many is not"),
        ("/dev/null/x", None, "OUT=/dev/null/x cannot be written: Not a directory."),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_read(
    folder, days, said, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=said):
        write(Deployment("A stage", None), folder, days)
    assert not list(tmp_path.iterdir())


def test_without_a_stage_it_is_that_of_make_dev(monkeypatch, tmp_path, capsys):
    with own_cloud(monkeypatch) as variables:
        monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (tmp_path / "8000.env").write_text("".join(lines))
        monkeypatch.setattr("sys.argv", ["command", "report", "--out", str(tmp_path)])
        command.main()
    assert capsys.readouterr().out.startswith("make dev on port 8000, 20")
    assert "Nothing was counted in these days." in (tmp_path / "report.html").read_text()
