"""make table and make seed, on both engines."""

import asyncio
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.changes.totals import Totals
from functions.context import RequestContext
from functions.store import Records, Runs, keys
from functions.store.report import Reports
from functions.store.totals import Totals as Counted
from infra.cli import seed, table
from infra.cli.demo_people import conversations, names
from infra.cli.deployment import Deployment
from infra.cli.typed import CommandError
from tests.store.samples import answer, at, message, run_record, thread
from tests.store.test_store_sizes import noise
from tests.support.demo_report import report_of

FEW = seed.Asked(people=3, days=6)
ADA, BOB = RequestContext(user_id="ada"), RequestContext(user_id="bob@example.com")
READS = {"Scan", "Query", "GetItem", "DescribeTable", "GetObject"}


@pytest.fixture
def deployment(backend):
    clients = {"dynamodb": backend.dynamodb, "s3": backend.s3}
    variables = {"CHATKIT_TABLE": backend.table, "CHATKIT_ATTACHMENTS_BUCKET": backend.bucket}
    return Deployment("make dev", clients.__getitem__, variables=variables)


@pytest.fixture
def stage(deployment, backend):
    outputs = {"TableName": backend.table, "FilesBucketName": backend.bucket}
    return Deployment("the stage prod", deployment.client, "prod", outputs)


@pytest.fixture
def looked(backend, capsys):
    """`looked(deployment, user=…)` is what make table prints. All its requests only read."""

    def look(deployment, *, user=None, thread=None, page=None, after=None, words=False):
        sent = []
        note = lambda model, **_: sent.append(model.name)  # noqa: E731
        for client in (backend.dynamodb, backend.s3):
            client.meta.events.register("before-call", note)
        capsys.readouterr()
        try:
            table.show(deployment, table.asked(user, thread, page, after, words=words))
        finally:
            for client in (backend.dynamodb, backend.s3):
                client.meta.events.unregister("before-call", note)
            assert set(sent) <= READS
        shown = capsys.readouterr().out
        assert [
            line for line in shown.splitlines() if len(line) > 100 and "AFTER" not in line
        ] == []
        return shown

    return look


def pages(look, **asked):
    """What all pages have printed, each asked for as the one before says."""
    shown = [look(**asked)]
    while found := re.search(r"'?AFTER=([^\s']+)", shown[-1]):
        shown.append(look(**asked, after=found[1]))
    return shown


def make_a_thread(deployment, words="Where is my order?"):
    """A thread with a row of each kind."""

    async def make():
        store = deployment.store
        await store.save_thread(thread(title="A title"), ADA)
        for number in range(4):
            made = message(f"msg_{9 - number}", f"{words} {number}", created_at=at(number))
            await store.add_thread_item("thr_1", made, ADA)
        await store.add_thread_item("thr_1", answer("msg_a", "It is here.", created_at=at(9)), ADA)
        await store.add_thread_item("thr_1", answer("msg_b", created_at=at(10)), ADA)
        await store.delete_thread_item("thr_1", "msg_b", ADA)
        await store.save_feedback("thr_1", ["msg_a"], "negative", ADA)
        for opinion in ("positive", None):
            await store.save_feedback("thr_1", ["msg_6"], opinion, ADA)
        await Records(deployment.table, "thr_1").put("checklist", {"secret": words}, ADA, version=0)
        record = run_record(run_id="run_1", outcome="failed", error="RateLimitError")
        await Runs(deployment.table).keep_record(record, ADA)

    asyncio.run(make())


@pytest.mark.parametrize("page", [None, "1", "3"])
def test_all_rows_of_a_thread_are_shown_once_with_items_in_their_order(deployment, looked, page):
    make_a_thread(deployment)
    shown = "".join(pages(looked, deployment=deployment, user="ada", thread="thr_1", page=page))
    found = re.findall(r"^  (\S+) ", shown, re.MULTILINE)
    items = ["ITEM#msg_9", "ITEM#msg_8", "ITEM#msg_7", "ITEM#msg_6", "ITEM#msg_a", "HEAD"]
    others = ["ENDED#run_1", "FB#msg_6", "FB#msg_a", "ITEM#msg_b", "REC#checklist"]
    assert found == items + others
    for part in (
        "user_message", "2026-01-02", "Where is my order? 3", "It is here.", "A title", "negative",
        "taken back", "failed RateLimitError", "deleted item", "checklist", "version 1",
    ):  # fmt: skip
        assert part in shown


def test_of_a_stage_no_word_is_shown_unless_text_is_asked_for(stage, looked):
    make_a_thread(stage)
    everything = [
        looked(stage),
        looked(stage, user="ada"),
        looked(stage, thread="thr_1"),
    ]
    for shown in everything:
        assert "the stage prod" in shown
        assert "TEXT=1 shows it" in shown
        for word in ("order", "here", "title", "secret"):
            assert word not in shown
    assert "assistant_message" in everything[-1]
    assert "Where is my order? 3" in looked(stage, thread="thr_1", words=True)
    assert "A title" in looked(stage, words=True)


def test_what_a_scan_of_a_stage_may_cost_is_said_first(stage, looked):
    make_a_thread(stage)
    for asked in ({}, {"thread": "thr_1"}):
        first, second, *_ = looked(stage, **asked).splitlines()
        assert re.fullmatch(r"the stage prod: some \d+ rows, \d+\.\d MB .*", first)
        assert second.endswith("2,048 read units.")


def test_a_thread_is_found_without_its_person(deployment, looked):
    make_a_thread(deployment)
    assert "the thread thr_1 of ada" in looked(deployment, thread="thr_1")
    with pytest.raises(CommandError, match="there is no thread thr_2"):
        looked(deployment, thread="thr_2")


def test_people_are_shown_once_with_their_newest_threads(deployment, looked):
    make_a_thread(deployment)
    for number in range(5):
        made = thread(f"thr_{number}", title=f"Of Bob {number}", created_at=at(number))
        asyncio.run(deployment.store.save_thread(made, BOB))
    for page in (None, "1"):
        shown = "".join(pages(looked, deployment=deployment, page=page))
        assert len(re.findall(r"^ada ", shown, re.MULTILINE)) == 1
        assert len(re.findall(r"^bob@example.com +5 conversations", shown, re.MULTILINE)) == 1
        assert re.findall(r"Of Bob \d", shown) == ["Of Bob 4", "Of Bob 3", "Of Bob 2"]
    of_bob = "".join(pages(looked, deployment=deployment, user="bob@example.com", page="2"))
    assert re.findall(r"Of Bob \d", of_bob) == [f"Of Bob {number}" for number in (4, 3, 2, 1, 0)]


def test_a_long_scan_stops_and_says_how_to_go_on(deployment, looked, monkeypatch):
    make_a_thread(deployment)
    monkeypatch.setattr(table, "READS", 1)
    scan = deployment.table.client.scan
    monkeypatch.setattr(deployment.table.client, "scan", lambda **asked: scan(Limit=1, **asked))
    shown = pages(looked, deployment=deployment)
    assert len(shown) > 1
    assert len(re.findall(r"^ada ", "".join(shown), re.MULTILINE)) == 1


def test_large_bodies_are_decoded_and_what_cannot_be_read_is_said(backend, deployment, looked):
    async def make():
        store = deployment.store
        await store.save_thread(thread(), ADA)
        for size, name in ((20_000, "msg_packed"), (400_000, "msg_spilled"), (10, "msg_newer")):
            await store.add_thread_item("thr_1", message(name, f"{name} {noise(size)}"), ADA)

    asyncio.run(make())
    newer = {
        **keys.item_key("ada", "thr_1", "msg_newer"),
        "position": {"S": "2027"}, "id": {"S": "msg_newer"}, "body": {"S": '{"type": "hologram"}'},
    }  # fmt: skip
    backend.dynamodb.put_item(TableName=backend.table, Item=newer)
    backend.dynamodb.put_item(
        TableName=backend.table, Item=keys.key(keys.thread_partition("ada", "thr_1"), "NEW#1")
    )
    shown = looked(deployment, user="ada", thread="thr_1")
    assert "compressed\n      msg_packed " in shown
    assert "in the bucket\n      msg_spilled " in shown
    assert "cannot be read (ValidationError)" in shown
    assert "this version does not know such rows" in shown


def test_words_cannot_control_the_terminal(deployment, looked):
    make_a_thread(deployment, words="red \x1b[31m\x9b2J\rover\nwritten \u202e")
    shown = looked(deployment, thread="thr_1")
    assert not re.search(r"[^\n\x20-\x7e…]", shown)
    assert "over written" in shown


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"page": "0"}, "PAGE=0 is no number of rows from 1 to 500"),
        ({"page": "many"}, "PAGE=many is no number"),
        ({"after": "nowhere"}, "AFTER=nowhere is not what a page has ended with"),
        ({"user": "eve"}, "there are no rows of the person eve"),
        ({"user": "eve", "thread": "thr_1", "after": "HEAD"}, "There is no row HEAD any more"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(deployment, looked, asked, why):
    with pytest.raises(CommandError, match=re.escape(why)):
        looked(deployment, **asked)


def test_a_second_seed_changes_nothing_and_one_after_a_crash_goes_on(backend, deployment, capsys):
    seed.fill(deployment, FEW, sure=False)
    rows = backend.rows()
    kinds = {row["sk"]["S"].partition("#")[0] for row in rows}
    assert {"THREAD", "HEAD", "ITEM", "ENDED"} <= kinds
    seed.fill(deployment, FEW, sure=False)
    assert "0 conversations written" in capsys.readouterr().out
    assert sorted(map(repr, backend.rows())) == sorted(map(repr, rows))

    last = max((row for row in rows if row["sk"]["S"].startswith("ENDED#")), key=repr)
    backend.dynamodb.delete_item(
        TableName=backend.table, Key={name: last[name] for name in ("pk", "sk")}
    )
    seed.fill(deployment, FEW, sure=False)
    assert "1 conversations written" in capsys.readouterr().out
    assert len(backend.rows()) == len(rows)


def test_a_clean_removes_the_made_up_people_and_nobody_else(
    backend, deployment, capsys, monkeypatch
):
    monkeypatch.setattr(seed, "MAX_PEOPLE", 5)
    make_a_thread(deployment)
    before = sorted(map(repr, backend.rows()))
    seed.fill(deployment, seed.Asked(people=2, days=5), sure=False)
    seed.clean(deployment, sure=False)
    left = [row for row in backend.rows() if row["sk"]["S"] != keys.TOMBSTONE]
    assert sorted(map(repr, left)) == before
    assert backend.objects() == []
    seed.clean(deployment, sure=False)
    assert "there are no made-up people" in capsys.readouterr().out


def test_a_stage_is_changed_after_a_yes_alone(backend, stage, monkeypatch):
    def refused(change):
        before = backend.rows()
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        with pytest.raises(CommandError, match=r"^Nothing is changed\.$"):
            change()
        assert backend.rows() == before

    monkeypatch.setattr(seed, "MAX_PEOPLE", 5)
    refused(lambda: seed.fill(stage, FEW, sure=False))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    seed.fill(stage, seed.Asked(people=1, days=4), sure=False)
    assert backend.rows()
    refused(lambda: seed.clean(stage, sure=False))


def test_the_made_up_people_show_all_that_a_report_counts():
    made = list(conversations(20, 30, 1, date(2026, 11, 26)))
    turns = [turn for each in made for turn in each.turns]
    assert {each.user for each in made} == set(names(20))
    assert {turn.record.outcome for turn in turns} == {"completed", "failed", "stopped", "waiting"}
    assert len({turn.record.model for turn in turns}) == 3
    assert {turn.feedback for turn in turns} == {"positive", "negative", None}
    assert {tool.outcome for turn in turns for tool in turn.record.tools} == {"ok", "failed"}
    assert {item.type for turn in turns for item in turn.items} >= {"widget", "assistant_message"}
    assert any(turn.file for turn in turns)
    assert any(turn.record.unsupported for turn in turns)
    assert {turn.record.at[:10] for turn in turns} == {
        str(date(2026, 11, 26) - timedelta(days=back)) for back in range(1, 31)
    }


def test_the_report_says_what_the_made_up_people_have_done(backend, deployment):
    seed.fill(deployment, FEW, sure=False)
    totals = Totals(Counted(deployment.table))
    for _ in range(2):  # the second time everything is delivered again
        assert asyncio.run(totals.take(backend.stream())) == []
    today = datetime.now(UTC).date()
    read = asyncio.run(Reports(deployment.table).read(FEW.days + 1, today))
    made = report_of(conversations(FEW.people, FEW.days, FEW.seed, today), FEW.days + 1, today)
    for expected, found in zip(models_of(made), models_of(read), strict=True):
        for name in ("firstTokenP50Ms", "firstTokenP90Ms"):
            # Of a few answers, a percentile is one of them and not a number between two of them.
            assert (expected.pop(name) is None) is (found.pop(name) is None)
        assert found.pop("dollars") == pytest.approx(expected.pop("dollars"))
    by_item = lambda each: (each["item"], each["why"])  # noqa: E731
    assert sorted(read.pop("questions"), key=by_item) == sorted(made.pop("questions"), key=by_item)
    assert read == made


def models_of(report):
    """The models of all days, in one order."""
    for day in report["days"]:
        day["models"].sort(key=lambda each: each["model"])
    return [model for day in report["days"] for model in day["models"]]


def test_a_day_of_made_up_people_is_the_same_whenever_it_is_made():
    today = list(conversations(5, 9, 1, date(2026, 11, 26)))
    tomorrow = list(conversations(6, 10, 1, date(2026, 11, 27)))
    assert [each for each in tomorrow if each in today] == today
    assert list(conversations(5, 9, 2, date(2026, 11, 26))) != today
