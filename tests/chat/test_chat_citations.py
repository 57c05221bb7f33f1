"""What a model cites is shown and kept, and no citation ends an answer."""

import pytest

from tests.support.chat import text_of, thread_of
from tests.support.dialects import DialectServer, message_events, numbered, response

URL = {"type": "url_citation", "url": "https://example.com/a", "title": "Ex",
       "start_index": 0, "end_index": 3}  # fmt: skip
FILE = {"type": "file_citation", "file_id": "f1", "filename": "a.pdf", "index": 2}
CONTAINER = {"type": "container_file_citation", "file_id": "f2", "container_id": "c1",
             "filename": "plot.png", "start_index": 0, "end_index": 3}  # fmt: skip

SHOWN = {
    "url": (URL, {"type": "url", "title": "Ex", "url": "https://example.com/a"}, 3),
    "file": (FILE, {"type": "file", "title": "a.pdf", "filename": "a.pdf"}, 2),
    "container file": (CONTAINER, {"type": "file", "title": "plot.png", "filename": "plot.png"}, 3),
}


@pytest.fixture
def model():
    return DialectServer()


@pytest.fixture
def app_settings(app_settings):
    return app_settings.model_copy(update={"model_api": "responses"})


def cited(*annotations, **more):
    """An answer with the text `Yes`, which cites `annotations`."""
    added = [
        {"type": "response.output_text.annotation.added", "annotation_index": n, "annotation": each}
        for n, each in enumerate(annotations)
    ]
    part = {"type": "output_text", "text": "Yes", "annotations": [*annotations]}
    empty = {**part, "text": "", "annotations": []}
    events = message_events(
        {"type": "response.content_part.added", "part": empty},
        {"type": "response.output_text.delta", "delta": "Yes", "logprobs": []},
        *added,
        {"type": "response.output_text.done", "text": "Yes", "logprobs": []},
        {"type": "response.content_part.done", "part": part},
        content=[part],
    )
    whole = response(events[-1]["item"], **more)
    return numbered(
        {"type": "response.created", "response": response()},
        *events,
        {"type": "response.completed", "response": whole},
    )


def streamed(events):
    return [
        event["update"]["annotation"]
        for event in events
        if event["type"] == "thread.item.updated" and "annotation" in event["update"]
    ]


@pytest.mark.parametrize(("sent", "source", "index"), SHOWN.values(), ids=SHOWN)
def test_each_kind_of_citation_is_streamed_and_kept(ada, model, sent, source, index):
    model.script = [cited(sent)]
    events = ada.create("Is it?")
    expected = [{"type": "annotation", "source": source, "index": index}]
    assert "error" not in {event["type"] for event in events}
    assert streamed(events) == expected
    (kept,) = ada.items(thread_of(events))[-1]["content"]
    assert kept == {"type": "output_text", "text": "Yes", "annotations": expected}


UNREADABLE = {
    "without an address": {"type": "url_citation", "title": "Ex", "start_index": 0, "end_index": 3},
    "of a new type": {"type": "map_citation", "place": "Ulm"},
    "of a type that ChatKit does not show": {"type": "file_path", "file_id": "f", "index": 0},
    "without a name": {**FILE, "filename": ""},
    "that is no object": "Ex",
    "that is nothing": None,
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
def test_a_citation_that_cannot_be_read_is_dropped_and_the_text_stays(ada, model, sent):
    model.script = [cited(sent, URL)]
    events = ada.create("Is it?")
    assert "error" not in {event["type"] for event in events}
    assert text_of(events) == "Yes"
    (kept,) = ada.items(thread_of(events))[-1]["content"]
    assert kept["text"] == "Yes"
    assert [each["source"]["title"] for each in kept["annotations"]] == ["Ex"]
    assert streamed(events) == kept["annotations"]


def test_an_unknown_part_or_event_does_not_end_the_answer(ada, model):
    part = {"type": "output_text", "text": "Yes", "annotations": []}
    new = {"type": "output_hologram", "data": "x"}
    events = message_events(
        {"type": "response.content_part.added", "part": new, "content_index": 1},
        {"type": "response.hologram.delta", "delta": "x"},
        {"type": "response.output_text.delta", "delta": "Yes", "logprobs": []},
        content=[part, new],
    )
    item = {"id": "holo_1", "type": "hologram", "status": "completed"}
    model.script = [
        numbered(
            {"type": "response.created", "response": response()},
            {"type": "response.output_item.added", "item": item, "output_index": 1},
            {"type": "response.output_item.done", "item": item, "output_index": 1},
            *events,
            {"type": "response.completed", "response": response(events[-1]["item"], item)},
        )
    ]
    events = ada.create("Is it?")
    assert "error" not in {event["type"] for event in events}
    assert ada.items(thread_of(events))[-1]["content"] == [part]
