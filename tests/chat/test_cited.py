"""Marks in an answer become annotations where they stood, however the text was split."""

from datetime import datetime

import pytest
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    EntitySource,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    URLSource,
)

from functions.chat.cited import Citations
from functions.chat.unfinished import finish_items

A, B = "a" * 36, "b" * 36 + "-1"
LINK = URLSource(title="Ex", url="https://example.com")


def source_of(passage_id):
    known = {A: "A", B: "B"}.get(passage_id)
    return known and EntitySource(id=f"k:{passage_id}", title=known)


def item(text=None, annotations=()):
    content = []
    if text is not None:
        content = [AssistantMessageContent(text=text, annotations=[*annotations])]
    return AssistantMessageItem(
        id="m", thread_id="t", created_at=datetime(2026, 1, 1), content=content
    )


def updated(update):
    return ThreadItemUpdatedEvent(item_id="m", update=update)


def delta(text):
    return updated(AssistantMessageContentPartTextDelta(content_index=0, delta=text))


def stream(*deltas):
    empty = AssistantMessageContent(text="")
    return [
        ThreadItemAddedEvent(item=item()),
        updated(AssistantMessageContentPartAdded(content_index=0, content=empty)),
        *(delta(each) if isinstance(each, str) else each for each in deltas),
    ]


async def cited(*events):
    async def source():
        for event in events:
            yield event

    return [event async for event in Citations(source_of).within(source())]


def told(annotations):
    return [(each.source.title, each.index) for each in annotations]


def streamed(events):
    """The text and the annotations as a page puts them together."""
    text, annotations = "", []
    for event in events:
        match getattr(event, "update", None):
            case AssistantMessageContentPartTextDelta(delta=piece):
                text += piece
            case AssistantMessageContentPartAnnotationAdded() as added:
                annotations.insert(added.annotation_index, added.annotation)
    return text, told(annotations)


SAID = f"Yes [[k:{A}]], and no. [[k:{B}]][[k:{A}]] [1] or [[x]] or [[k:{'c' * 36}]]?"
SHOWN = ("Yes, and no. [1] or [[x]] or?", [("A", 3), ("B", 12), ("A", 12)])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 400])
async def test_marks_are_annotations_at_their_places_however_the_text_is_split(size):
    deltas = [SAID[at : at + size] for at in range(0, len(SAID), size)]
    assert streamed(await cited(*stream(*deltas))) == SHOWN


async def test_the_finished_part_and_message_say_the_same_as_the_stream():
    whole = AssistantMessageContent(text=SAID)
    done = updated(AssistantMessageContentPartDone(content_index=0, content=whole))
    part, message = await cited(done, ThreadItemDoneEvent(item=item(SAID)))
    for content in (part.update.content, message.item.content[0]):
        assert (content.text, told(content.annotations)) == SHOWN


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Both [[k:{A}, k:{B}]].", ("Both.", [("A", 4), ("B", 4)])),
        (f"Spaces    [[ k:{A}]]", (f"Spaces    [[ k:{A}]]", [])),
        ("Nothing [[k:]]", ("Nothing", [])),
        ("[[k:" + "x" * 300 + "]]", ("[[k:" + "x" * 300 + "]]", [])),
        ("a[b[[c", ("a[b[[c", [])),
        (f"Broken off [[k:{A[:9]}", ("Broken off", [])),
    ],
    ids=["two in one", "no mark", "empty", "too long", "brackets", "broken off"],
)
async def test_what_is_shown_of_marks_in_other_forms(said, shown):
    (done,) = await cited(ThreadItemDoneEvent(item=item(said)))
    content = done.item.content[0]
    assert (content.text, told(content.annotations)) == shown


async def test_text_is_held_back_only_while_it_may_begin_a_mark():
    events = await cited(*stream("One [", "1] two [[k", "ey]] three [[k:", A))
    deltas = [
        event.update.delta
        for event in events
        if isinstance(getattr(event, "update", None), AssistantMessageContentPartTextDelta)
    ]
    assert deltas == ["One", " [1] two", " [[key]] three"]


async def test_citations_of_the_models_own_keep_their_places_and_their_order():
    said = f"See [[k:{A}]] there"
    link = Annotation(source=LINK, index=len(said))
    added = updated(
        AssistantMessageContentPartAnnotationAdded(
            content_index=0, annotation_index=0, annotation=link
        )
    )
    expected = [("A", 3), ("Ex", 9)]
    assert streamed(await cited(*stream(said, added))) == ("See there", expected)
    (done,) = await cited(ThreadItemDoneEvent(item=item(said, [link])))
    assert sorted(told(done.item.content[0].annotations)) == expected


async def test_an_answer_that_fails_is_kept_as_it_was_shown():
    async def failing():
        for event in stream(f"Yes [[k:{A}]] and [[k:{B}"):
            yield event
        raise ConnectionError

    class Turn:
        workflow_item = None

    events = []

    async def take():
        async for event in finish_items(Citations(source_of).within(failing()), Turn()):
            events.append(event)  # noqa: PERF401 - it fails in the end

    with pytest.raises(ConnectionError):
        await take()
    kept = events[-1].item.content[0]
    assert (kept.text, told(kept.annotations)) == streamed(events) == ("Yes and", [("A", 3)])
