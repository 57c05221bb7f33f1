"""One document is brought to where its original is, whatever happened before."""

import asyncio
import logging
from dataclasses import replace

import pytest

from functions.ingest import ingest as ingesting
from functions.ingest import reading, splitting
from functions.ingest.ingest import AgainError
from functions.knowledge import documents
from functions.knowledge.current import CurrentIndex, Index
from functions.knowledge.embedder import EmbeddingThrottledError
from functions.knowledge.vectors import Vectors
from functions.knowledge.words import Words


class Killed(BaseException):
    """Ends an invocation without any of its own code running, as a timeout does."""


def text(numbers):
    return "\n\n".join(f"Paragraph {number} speaks of topic{number}." for number in numbers)


def kill(*args, **kwargs):
    raise Killed


async def killed(stage, key, event="event"):
    with pytest.raises(Killed):
        await stage.take(key, event)


def later(monkeypatch, seconds=1000):
    """The lease of whoever was killed is over."""
    now = documents.time.time()
    monkeypatch.setattr(documents.time, "time", lambda: now + seconds)


async def consistent(stage, key, numbers):
    """The indexes hold these paragraphs and nothing else."""
    row = await stage.row(key)
    vectors = await stage.vectors()
    wanted = {f"Paragraph {number} speaks of topic{number}." for number in numbers}
    assert {each["text"] for each in vectors.values()} == wanted
    assert len(vectors) == len(wanted)
    assert (row.state, row.passages, row.held, row.error) == ("ready", len(wanted), False, "")
    words = Words(stage.bucket, (await CurrentIndex(stage.bucket).read()).index.index)
    await words.refresh()
    assert set(await words.search("paragraph", 1000, tenant=None)) == set(vectors)


async def test_a_file_that_is_put_is_found_and_its_row_says_so(stage, caplog):
    key = stage.put("handbook/leave.md", "Holidays are 30 days.\n\nSick notes go to Bob.")
    with caplog.at_level(logging.INFO):
        await stage.take(key)
    row = await stage.row(key)
    assert (row.state, row.passages, row.path) == ("ready", 2, "handbook/leave.md")
    assert await stage.found("sick notes") == ["Sick notes go to Bob.", "Holidays are 30 days."]
    (line,) = [record for record in caplog.records if hasattr(record, "ingest_ready")]
    assert (line.ingest_passages, line.ingest_embedded, line.ingest_removed) == (2, 2, 0)
    assert "Bob" not in caplog.text
    assert "leave" not in caplog.text


async def test_the_same_event_again_costs_no_embedding_and_writes_nothing(stage):
    key = stage.put("a.md", text(range(3)))
    await stage.take(key, "event")
    before = await stage.row(key)
    await stage.take(key, "event")
    await stage.take(key, "another")
    assert len(stage.embedding.texts) == 3
    assert await stage.row(key) == before


async def test_a_changed_file_has_only_its_changed_passages_embedded_and_no_old_ones(stage):
    key = stage.put("a.md", text(range(30)))
    await stage.take(key)
    stage.embedding.texts.clear()
    stage.put("a.md", text([*range(12), 99, *range(13, 30)]))
    await stage.take(key)
    assert [each.split()[-1] for each in stage.embedding.texts] == ["topic99."]
    await consistent(stage, key, [*range(12), 99, *range(13, 30)])


async def test_a_paragraph_that_repeats_is_there_as_often_as_in_the_file(stage):
    key = stage.put("a.md", "Yes.\n\nNo.\n\nYes.")
    await stage.take(key)
    assert sorted(each["text"] for each in (await stage.vectors()).values()) == [
        "No.", "Yes.", "Yes.",
    ]  # fmt: skip


async def test_other_roles_are_everywhere_at_once_although_the_content_is_the_same(stage):
    key = stage.put("a.md", text(range(3)))
    await stage.take(key)
    stage.put("a.md", text(range(3)), roles="staff, admin")
    await stage.take(key)
    assert await stage.found("topic1") == []
    assert len(await stage.found("topic1", roles=["admin"])) == 3
    assert len(await stage.vectors()) == 3


async def test_a_file_that_is_gone_leaves_nothing(stage):
    key = stage.put("a.md", text(range(3)))
    other = stage.put("b.md", text([7]))
    await stage.take(key)
    await stage.take(other)
    stage.delete(key)
    await stage.take(key)
    await stage.take(key)
    assert await stage.row(key) is None
    await consistent(stage, other, [7])
    assert len(stage.objects()) == 3  # current.json, the words, the other document


@pytest.mark.parametrize("size", [10, 1_000])
async def test_an_unreadable_file_fails_with_its_reason_and_leaves_nothing(
    stage, monkeypatch, size
):
    monkeypatch.setattr(ingesting, "MAX_BYTES", 500)
    key = stage.put("a.pdf", text(range(3)))
    await stage.take(key)
    stage.put("a.pdf", "BROKEN" + "x" * size)
    await stage.take(key)
    row = await stage.row(key)
    reason = "It is damaged." if size == 10 else "It has more than 0 MB. Divide it."
    assert (row.state, row.passages, row.error) == ("failed", 0, reason)
    assert await stage.vectors() == {}
    assert await stage.found("topic1") == []
    stage.put("a.pdf", text([5]))
    await stage.take(key)
    await consistent(stage, key, [5])


async def test_a_document_is_read_and_split_for_real(stage, monkeypatch):
    monkeypatch.setattr(ingesting, "read", reading.read)
    monkeypatch.setattr(ingesting, "split", splitting.split)
    key = stage.put("deploy.md", "# Deploy\n\nRun make deploy.\n\n## Regions\n\nAny will do.\n")
    broken = stage.put("broken.pdf", "%PDF-1.7 and nothing more")
    await stage.take(key)
    await stage.take(broken)
    found = await stage.knowledge.search("how to deploy", tenant=None, roles=())
    assert {each.title for each in found} == {"Deploy"}
    assert "Run make deploy." in found[0].passage.text
    row = await stage.row(broken)
    assert row.state == "failed"
    assert row.error


async def test_more_roles_than_can_be_searched_by_fail_before_anything_is_embedded(stage):
    key = stage.put("a.md", text(range(3)), roles=" ".join(f"r{number}" for number in range(300)))
    await stage.take(key)
    row = await stage.row(key)
    assert (row.state, row.error) == (
        "failed", "Its roles and tags are too many to be searched by.",
    )  # fmt: skip
    assert await stage.vectors() == {}


async def test_a_file_without_text_fails_and_says_so(stage):
    key = stage.put("empty.txt", "\n\n \n")
    await stage.take(key)
    row = await stage.row(key)
    assert (row.state, row.error) == ("failed", "There is no text in it.")


async def test_a_large_file_that_is_killed_half_way_is_finished_by_the_retry(stage, monkeypatch):
    monkeypatch.setattr(ingesting, "BATCH", 20)
    key = stage.put("a.md", text(range(120)))
    requests = []

    def killed_at_the_fourth():
        requests.append(1)
        if len(requests) == 4:
            raise Killed

    embedder = stage.embedder

    def failing(index):
        made = embedder(index)
        made.fail = killed_at_the_fourth
        return made

    stage.embedder = failing
    await killed(stage, key)
    assert len(stage.embedding.texts) == 60
    assert (await stage.row(key)).held
    with pytest.raises(AgainError):  # the earlier attempt may be alive, as far as is known
        await stage.take(key, "event")
    later(monkeypatch)
    await stage.take(key, "event")
    await consistent(stage, key, range(120))
    assert len(stage.embedding.texts) == len(set(stage.embedding.texts)) == 120


STEPS = {
    "before the first vectors": (Vectors, "get"),
    "after the vectors": (Words, "put"),
    "after the words": (Vectors, "delete"),
    "before the row": (documents.DocumentRows, "finish"),
}


@pytest.mark.parametrize(
    ("step", "change"),
    [
        *((step, "again") for step in STEPS),
        *(("after the words", change) for change in ("other", "back", "gone", "broken")),
        ("after the vectors", "other"),
        ("before the row", "back"),
    ],
)
async def test_what_is_killed_at_any_step_is_mended_by_the_next_event(
    stage, monkeypatch, step, change
):
    key = stage.put("a.md", text(range(5)))
    await stage.take(key)
    stage.put("a.md", text([0, 1, 12, 13, 14]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*STEPS[step], kill)
        await killed(stage, key)
    match change:
        case "other":
            stage.put("a.md", text([1, 13, 24]))
        case "back":
            stage.put("a.md", text(range(5)))
        case "gone":
            stage.delete(key)
        case "broken":
            stage.put("a.md", "BROKEN")
    later(monkeypatch)
    await stage.take(key, "event")
    wanted = {"again": [0, 1, 12, 13, 14], "other": [1, 13, 24], "back": range(5)}
    if change in wanted:
        await consistent(stage, key, wanted[change])
        return
    assert await stage.vectors() == {}
    assert await stage.found("paragraph") == []
    assert [name for name in stage.objects() if "/documents/" in name] == []


async def test_a_throttled_embedder_makes_the_event_come_again_and_keeps_what_was_done(
    stage, monkeypatch
):
    monkeypatch.setattr(ingesting, "BATCH", 10)
    key = stage.put("a.md", text(range(30)))
    embedder = stage.embedder

    def throttled(index):
        made = embedder(index)

        def fail():
            if len(made.texts) >= 20:
                raise EmbeddingThrottledError("429")

        made.fail = fail
        return made

    stage.embedder = throttled
    with pytest.raises(EmbeddingThrottledError):
        await stage.take(key, "event")
    row = await stage.row(key)
    assert (row.state, row.error, row.held) == ("indexing", "EmbeddingThrottledError", False)
    stage.embedder = embedder
    stage.embedding.fail = lambda: None
    await stage.take(key, "event")
    await consistent(stage, key, range(30))
    assert len(stage.embedding.texts) == 30


async def test_it_stops_before_the_functions_time_is_over_and_goes_on_from_there(
    stage, monkeypatch
):
    monkeypatch.setattr(ingesting, "BATCH", 10)
    key = stage.put("a.md", text(range(30)))
    seconds = iter([900, 900, 900, 44])
    with pytest.raises(AgainError):
        await stage.take(key, "event", left=lambda: next(seconds, 44))
    assert 0 < len(stage.embedding.texts) < 30
    await stage.take(key, "event")
    await consistent(stage, key, range(30))
    assert len(stage.embedding.texts) == 30


@pytest.mark.parametrize("change", ["deleted", "changed", "changed and changed back"])
async def test_an_event_during_an_ingest_makes_that_look_again(stage, change):
    """Nothing is lost, whichever of the two reads what."""
    key = stage.put("a.md", text(range(5)))
    reached, go = asyncio.Event(), asyncio.Event()
    embedder = stage.embedder

    class Slow:
        def __init__(self, made):
            self.made = made

        async def embed(self, texts, *, query=False):
            reached.set()
            await go.wait()
            return await self.made.embed(texts, query=query)

    stage.embedder = lambda index: Slow(embedder(index))
    first = asyncio.create_task(stage.take(key, "first"))
    await reached.wait()
    if change == "deleted":
        stage.delete(key)
    else:
        stage.put("a.md", text([3, 4, 5]))
    await stage.take(key, "second")
    if change == "changed and changed back":
        stage.put("a.md", text(range(5)))
        await stage.take(key, "third")
    go.set()
    await first
    if change == "deleted":
        assert await stage.row(key) is None
        assert await stage.vectors() == {}
    else:
        await consistent(stage, key, [3, 4, 5] if change == "changed" else range(5))


async def test_what_is_no_document_is_left_alone(stage):
    for key in ("knowledge/", "knowledge/folder/", "uploads/a", "knowledge/@a b/x.md"):
        await stage.take(key)
    assert stage.objects() == []


async def test_a_stage_whose_settings_changed_goes_on_with_its_index_until_it_is_built_anew(stage):
    """`make ingest REINDEX=1`: built beside the old one, then searched, then the old one goes."""
    key = stage.put("a.md", text(range(4)))
    await stage.take(key)
    current = CurrentIndex(stage.bucket)
    old = (await current.read()).index
    stage.settings = stage.settings.model_copy(update={"embedding_dimension": 128})
    new = Index.of(stage.settings)
    assert new != old
    other = stage.put("b.md", text([7]))
    await stage.take(other)
    assert len(await stage.vectors()) == 5
    await current.build(new)
    await current.build(new)
    await stage.take(key)
    stage.put("b.md", text([7, 8]))
    await stage.take(other)
    assert (await stage.row(key)).indexes == (await stage.row(other)).indexes == {
        old.index, new.index,
    }  # fmt: skip
    assert (await stage.vectors(old.index)).keys() == (await stage.vectors(new.index)).keys()
    assert await current.switch() == old
    assert await current.switch() is None
    assert (await stage.found("topic8"))[0].endswith("topic8.")


async def test_an_index_that_was_removed_can_be_built_again_by_the_same_process(stage):
    key = stage.put("a.md", text(range(4)))
    ingest, current = stage.ingest(), CurrentIndex(stage.bucket)

    async def take(event):
        await ingest.document(key, event=event, left=lambda: 900.0)

    await take("first")
    one = (await current.read()).index
    two = replace(one, index="k-two", dimension=64)
    for number, (before, after) in enumerate([(one, two), (two, one)]):
        await current.build(after)
        await take(f"event{number}")
        assert await current.switch() == before
        await Vectors(stage.name, before.index).drop()
        await stage.bucket.delete_prefix(before.prefix)
        await take(f"again{number}")
    await consistent(stage, key, range(4))
