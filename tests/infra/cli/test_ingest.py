"""make ingest and make knowledge, with the queue and the function's own code, on this machine."""

import asyncio
import io
import json
from dataclasses import asdict, replace

import pytest

from functions.aws.clients import client
from functions.ingest import ingest as of_function
from functions.knowledge.current import Index
from functions.knowledge.passages import document_id
from functions.settings import get_settings
from functions.store import keys
from infra.cli import command, settled
from infra.cli import ingest as cli
from infra.cli.deployment import Deployment
from infra.cli.knowledge import Library, library_of, show
from infra.cli.progress import Progress
from infra.cli.typed import CommandError
from infra.local import events
from infra.local.document_reader import DocumentReader
from infra.local.events import _Documents, _Pump, _queue, document_queue
from tests.support.cloud import own_cloud
from tests.support.knowledge import read_paragraphs, split_paragraphs


@pytest.fixture(scope="module")
def moto():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, CHATKIT_KNOWLEDGE="true"):
        yield


@pytest.fixture
def here(moto, monkeypatch):
    """The bucket's events reach the function whenever the command waits, and at no other time."""
    monkeypatch.setattr(of_function, "read", read_paragraphs)
    monkeypatch.setattr(of_function, "split", split_paragraphs)
    made = Here(get_settings())
    yield made
    made.empty()


class Here:
    def __init__(self, settings):
        self.settings, bucket = settings, settings.attachments_bucket
        self.documents = _Documents(DocumentReader(settings), bucket)
        asyncio.run(_Pump(None, settings.table, bucket, documents=True)._subscribe())
        self.queue = asyncio.run(_queue(document_queue(bucket)))
        self.waits = 0
        self.library = Library(
            name="here",
            client=client,
            bucket=bucket,
            table=settings.table,
            vector_bucket=settings.vector_bucket,
            queue=self.queue,
            wanted=Index.of(settings),
        )

    def wait(self, _):
        self.waits += 1

        async def deliver():
            while await self.documents._deliver(self.queue):
                pass

        asyncio.run(deliver())

    def ingest(self, folder=None, *, library=None, again=False, sure=False, **of):
        said = {"tenant": None, "roles": None, "tags": None, **of}
        folder = cli.folder_of(str(folder), **said) if folder else None
        return cli.ingest(library or self.library, folder, again=again, sure=sure, wait=self.wait)

    def stored(self):
        return sorted(self.library.objects())

    def vectors(self, index=None):
        found = client("s3vectors").list_vectors(
            vectorBucketName=self.library.vector_bucket,
            indexName=index or self.library.wanted.index,
        )
        return len(found["vectors"])

    def empty(self):
        for key in self.stored():
            client("s3").delete_object(Bucket=self.library.bucket, Key=key)
        self.wait(0)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "handbook"
    (made / "more").mkdir(parents=True)
    (made / "a.txt").write_text("Holidays are thirty days.\n\nAsk your lead.")
    (made / "more" / "b.txt").write_text("The office closes at six.")
    return made


def test_a_folder_is_uploaded_and_searchable_when_the_command_returns(here, folder, capsys):
    (folder / ".hidden").write_text("x")
    (folder / "photo.png").write_bytes(b"x")
    assert here.ingest(folder) is True
    assert here.stored() == ["knowledge/handbook/a.txt", "knowledge/handbook/more/b.txt"]
    assert here.vectors() == 3
    said = capsys.readouterr().out
    assert "left out  photo.png: image/png is not text." in said
    assert "Uploading 2/2" in said
    assert "Reading documents 2/2" in said
    assert "2 uploaded, 0 unchanged, 0 removed, 0 failed; 3 passages" in said

    show(here.library)
    said = capsys.readouterr().out
    assert "ready          2  handbook/a.txt" in said
    assert "2 ready; 3 passages" in said


def test_only_what_changed_is_uploaded_and_only_what_vanished_of_this_folder_is_removed(
    here, folder, tmp_path, capsys
):
    other = tmp_path / "handbook2"
    other.mkdir()
    (other / "c.txt").write_text("Another folder.")
    here.ingest(folder)
    here.ingest(other)
    here.ingest(other, tenant="acme", roles="staff, lead")
    capsys.readouterr()
    (folder / "a.txt").write_text("Holidays are thirty-one days.\n\nAsk your lead.")
    (folder / "more" / "b.txt").unlink()
    (folder / "d.txt").write_text("New.")
    assert here.ingest(folder)
    assert "2 uploaded, 0 unchanged, 1 removed, 0 failed; 3 passages" in capsys.readouterr().out
    assert here.stored() == [
        "knowledge/@acme/handbook2/c.txt",
        "knowledge/handbook/a.txt",
        "knowledge/handbook/d.txt",
        "knowledge/handbook2/c.txt",
    ]
    assert here.vectors() == 5
    waits = here.waits
    assert here.ingest(folder)
    assert "0 uploaded, 2 unchanged, 0 removed" in capsys.readouterr().out
    assert here.waits == waits, "nothing was read again"
    assert here.ingest(folder, roles="staff"), "other roles are a change, too"
    assert "2 uploaded, 0 unchanged" in capsys.readouterr().out


def test_an_event_that_was_lost_is_sent_again(here, folder, capsys):
    here.ingest(folder)
    key = keys.document_key(None, document_id(None, "handbook/a.txt"))
    assert client("dynamodb").delete_item(
        TableName=here.settings.table, Key=key, ReturnValues="ALL_OLD"
    )["Attributes"]
    capsys.readouterr()
    assert here.ingest(folder)
    assert "0 uploaded, 2 unchanged, 0 removed, 0 failed; 3 passages" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_told_with_its_reason_and_tried_again(
    here, folder, capsys, monkeypatch
):
    from functions.ingest.reading import UnreadableError

    def refuse(data, name):
        if name.endswith("a.txt"):
            raise UnreadableError("It is encrypted.")
        return read_paragraphs(data, name)

    monkeypatch.setattr(of_function, "read", refuse)
    assert here.ingest(folder) is False
    said = capsys.readouterr().out
    assert "1 failed; 1 passages" in said
    assert "failed  knowledge/handbook/a.txt: It is encrypted." in said
    show(here.library)
    assert "(It is encrypted.)" in capsys.readouterr().out
    monkeypatch.setattr(of_function, "read", read_paragraphs)
    assert here.ingest(folder) is True
    assert "0 uploaded, 2 unchanged, 0 removed, 0 failed; 3 passages" in capsys.readouterr().out


@pytest.mark.parametrize("typed", ["", "no\n", "y\n"])
def test_a_folder_without_any_of_its_documents_asks_before_it_removes_them(
    here, folder, capsys, monkeypatch, typed
):
    here.ingest(folder)
    for file in ("a.txt", "more/b.txt"):
        (folder / file).unlink()
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(CommandError, match=r"^Nothing is changed\.$"):
        here.ingest(folder)
    assert "Remove these 2? Type yes: " in capsys.readouterr().out
    assert len(here.stored()) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert here.ingest(folder)
    assert here.stored() == []
    assert here.vectors() == 0
    with pytest.raises(CommandError, match="has no documents"):
        here.ingest(folder, sure=True)


def test_another_model_changes_nothing_until_reindex_which_switches_and_cleans_up(
    here, folder, capsys
):
    here.ingest(folder)
    before = here.library.wanted
    smaller = here.settings.model_copy(update={"embedding_dimension": 128})
    other = replace(here.library, wanted=Index.of(smaller))
    capsys.readouterr()
    assert here.ingest(folder, library=other)
    assert "make ingest REINDEX=1" in capsys.readouterr().out
    assert here.library.read_current().index == before

    assert here.ingest(library=other, again=True)
    said = capsys.readouterr().out
    assert "The new index is searched now" in said
    assert "2 documents are in the index; 3 passages." in said
    assert here.library.read_current().index == other.wanted
    assert here.vectors(other.wanted.index) == 3
    names = client("s3vectors").list_indexes(vectorBucketName=other.vector_bucket)["indexes"]
    assert [each["indexName"] for each in names] == [other.wanted.index]
    assert not other.objects(f"knowledge-index/{before.index}/")


def test_the_way_back_to_a_removed_index_fills_it_before_it_is_searched(here, folder, monkeypatch):
    here.ingest(folder)
    before = here.library.wanted
    smaller = here.settings.model_copy(update={"embedding_dimension": 128})
    assert here.ingest(library=replace(here.library, wanted=Index.of(smaller)), again=True)
    deliver, switched = here.wait, []

    def wait(seconds):
        if seconds == settled.CACHED_SECONDS:
            switched.append(here.vectors(before.index))
        deliver(seconds)

    monkeypatch.setattr(here, "wait", wait)
    assert here.ingest(again=True)
    assert here.library.read_current().index == before
    assert switched == [3]


def test_why_an_attempt_failed_is_told_while_the_command_waits_for_the_next(
    here, folder, capsys, monkeypatch
):
    attempts = []

    def fail_first(data, name):
        attempts.append(name)
        if len(attempts) <= 2:
            raise TimeoutError
        return read_paragraphs(data, name)

    monkeypatch.setattr(of_function, "read", fail_first)
    monkeypatch.setattr(events, "AGAIN", (0,))
    with monkeypatch.context() as one_at_a_time:
        deliver = here.documents._deliver
        one_at_a_time.setattr(here, "wait", lambda _: asyncio.run(deliver(here.queue)))
        assert here.ingest(folder) is True
    said = capsys.readouterr().out
    assert said.count("TimeoutError in the last attempt, which will be made again") == 1
    assert "2 uploaded" in said


def test_it_gives_up_when_nothing_moves(here, folder, monkeypatch):
    monkeypatch.setattr(here, "wait", lambda seconds: None)
    monkeypatch.setattr(settled, "PATIENCE", 5 * settled.PAUSE)
    with pytest.raises(CommandError, match="2 documents are still not read"):
        here.ingest(folder)


@pytest.mark.parametrize(
    ("typed", "of", "message"),
    [
        ("/nowhere", {}, "there is no such folder"),
        (__file__, {}, "is a file"),
        (".", {}, "is too much"),
        ("/", {}, "is too much"),
        ("@{tmp}/@acme", {}, "stands for a tenant"),
        ("{tmp}", {"roles": "büro"}, "takes ASCII only"),
    ],
)
def test_what_is_no_folder_is_refused_in_one_line(tmp_path, monkeypatch, typed, of, message):
    from functions.settings import ROOT

    monkeypatch.chdir(ROOT)
    (tmp_path / "@acme").mkdir()
    typed = typed.removeprefix("@").format(tmp=tmp_path)
    with pytest.raises(CommandError, match=message) as refused:
        cli.folder_of(typed, None, of.get("roles"), None)
    assert "\n" not in str(refused.value)


def test_a_folder_of_the_repository_is_called_by_its_path(monkeypatch):
    from functions.settings import ROOT

    monkeypatch.chdir(ROOT)
    assert cli.folder_of("docs/images", None, None, None).prefix == "knowledge/docs/images/"
    assert cli.folder_of("docs", "a c", None, None).prefix == "knowledge/@a%20c/docs/"


def test_a_stage_without_knowledge_and_a_port_without_make_dev_say_what_to_do(
    monkeypatch, tmp_path
):
    with pytest.raises(CommandError, match="-c knowledge=true"):
        library_of(Deployment("the stage prod", None, "prod", {"TableName": "t"}))
    monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["command", "ingest", "--dir", "docs"])
    with pytest.raises(SystemExit, match="No make dev is running on port 8000"):
        command.main()
    (tmp_path / "8000.env").write_text("CHATKIT_TABLE=t\n")
    with pytest.raises(CommandError, match="CHATKIT_KNOWLEDGE=true"):
        library_of(Deployment.of_make_dev("make ingest STAGE=prod"))
    monkeypatch.setattr("sys.argv", ["command", "ingest"])
    with pytest.raises(SystemExit, match="make ingest DIR=docs"):
        command.main()


def test_the_running_make_dev_is_found_by_its_file(here, monkeypatch, tmp_path):
    import os
    import shlex

    index = json.dumps(asdict(here.library.wanted))
    names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    said = {name: os.environ[name] for name in names} | {
        "CHATKIT_TABLE": here.library.table,
        "CHATKIT_ATTACHMENTS_BUCKET": here.library.bucket,
        "CHATKIT_VECTOR_BUCKET": here.library.vector_bucket,
        "CHATKIT_KNOWLEDGE_INDEX": index,
    }
    file = tmp_path / "8000.env"
    file.write_text("\n".join(f"{name}={shlex.quote(value)}" for name, value in said.items()))
    monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
    found = library_of(Deployment.of_make_dev("make ingest STAGE=prod"))
    assert replace(found, client=client, name="here") == here.library
    assert found.objects() == here.library.objects()


def test_a_bar_is_drawn_in_a_terminal_and_lines_are_written_elsewhere():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        progress = Progress("Reading", 30, stream)
        for done in range(31):
            progress.show(done)
        progress.end()
    assert terminal.getvalue().endswith(f"\rReading [{'#' * 30}] 30/30\n")
    assert log.getvalue().splitlines()[0] == "Reading 0/30"
    assert log.getvalue().splitlines()[-1] == "Reading 30/30"
    assert len(log.getvalue().splitlines()) == 11
