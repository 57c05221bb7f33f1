"""Invalid input gets a message that text what is wrong without quoting the input."""

import json
import types
import typing

import pytest
from chatkit.types import ChatKitReq, InputTranscribeParams
from pydantic import BaseModel

from functions.errors import PublicError
from functions.web.chatkit_request import MAX_WORDS, parse


def message(text="hi", **more):
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}, **more}


def create(**more):
    return {"type": "threads.create", "params": {"input": message(**more)}}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b"\xff\xfe", 400, "JSON"),
        (b'{"type": "threads.create", "params": {"input": "\\ud800"}}', 422, "params.input"),
        (b"[]", 400, "operation"),
        (b"null", 400, "operation"),
        (b"{}", 400, "operation"),
        (b'{"type": "threads.destroy"}', 400, "operation"),
        (b'{"type": 7}', 400, "operation"),
        (b'{"type": "threads.get_by_id"}', 422, "params"),
        (b'{"type": "threads.get_by_id", "params": {}}', 422, "params.thread_id"),
        (b'{"type": "threads.list", "params": {"limit": 0}}', 422, "limit"),
        (b'{"type": "threads.update", "params": {"thread_id": "t", "title": " "}}', 422, "A title"),
        (
            b'{"type": "input.transcribe", "params": {"audio_base64": "?", "mime_type": "a/b"}}',
            422,
            "base64",
        ),
        (json.dumps(create(text="  \n ")).encode(), 422, "empty"),
        (json.dumps(create(content=[])).encode(), 422, "empty"),
        (json.dumps(create(text="x" * 200_001)).encode(), 413, "longer"),
        (json.dumps(create(attachments=["a"] * 2)).encode(), 422, "twice"),
        (json.dumps(create(attachments=[str(n) for n in range(11)])).encode(), 422, "at most"),
    ],
)
def test_an_invalid_request_gets_a_message_that_says_what_is_wrong(body, status, text):
    with pytest.raises(PublicError) as refused:
        parse(body)
    assert (refused.value.status, text in refused.value.message) == (status, True)


def test_an_error_message_does_not_quote_the_input():
    body = create()
    body["params"]["input"]["content"][0]["text"] = ["my secret"]
    with pytest.raises(PublicError) as refused:
        parse(json.dumps(body).encode())
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("kind", ["threads.list", "items.list"])
@pytest.mark.parametrize(("asked", "given"), [(9999, 100), (100, 100), (3, 3), (None, None)])
def test_a_page_of_any_size_is_served_with_at_most_100_entries(kind, asked, given):
    body = {"type": kind, "params": {"thread_id": "t", "limit": asked}}
    assert parse(json.dumps(body).encode()).params.limit == given


def test_a_title_that_is_too_long_is_cut_off():
    body = {"type": "threads.update", "params": {"thread_id": "t", "title": f" {'x' * 300} "}}
    assert parse(json.dumps(body).encode()).params.title == "x" * 200


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"a\ud83d", "a\ufffd"),
        (r"\uDE00b", "\ufffdb"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ud83d\ude00", "😀"),
        (r"C:\\ud83d", r"C:\ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
    ],
)
def test_half_a_character_is_replaced_and_a_whole_one_is_not(sent, read):
    body = json.dumps(create()).replace("hi", sent).encode()
    assert parse(body).params.input.content[0].text == read


def test_a_message_may_consist_of_only_a_file_or_only_a_mention():
    tag = {"type": "input_tag", "id": "e", "text": "Ada", "data": {}}
    for body in (create(text="", attachments=["atc_1"]), create(content=[tag])):
        assert parse(json.dumps(body).encode()).type == "threads.create"


LONG = "x" * (MAX_WORDS + 1)


def members(kind):
    """The types that a value of this type may have."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return members(typing.get_args(kind)[0])
    if origin in {typing.Union, types.UnionType}:
        return [each for part in typing.get_args(kind) for each in members(part)]
    return [kind]


def short(kind):
    """A small value of a type."""
    (kind, *_), origin, args = members(kind), *parts_of(members(kind)[0])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: short(field.annotation) for name, field in fields_of(kind)}
    if origin is typing.Literal:
        return args[0]
    if origin is list:
        return [short(args[0])]
    if origin is dict:
        return {"k": short(args[1])}
    return {int: 1, bool: True}.get(kind, "YQ==")


def fields_of(model):
    model.model_rebuild()  # ChatKit's types name each other before they are there
    return model.model_fields.items()


def parts_of(kind):
    return typing.get_origin(kind), typing.get_args(kind)


def too_long(kind, path=()):
    """Each way in which a value of a type may be too long, and where."""
    for each in members(kind):
        origin, args = parts_of(each)
        if isinstance(each, type) and issubclass(each, BaseModel):
            for name, field in fields_of(each):
                if each is InputTranscribeParams and name == "audio_base64":
                    continue  # a recording has limits of its own
                for place, value in too_long(field.annotation, (*path, name)):
                    yield place, {**short(each), name: value}
        elif origin is list:
            yield from ((place, [value]) for place, value in too_long(args[0], path))
        elif origin is dict:
            yield (*path, "key"), {LONG: short(args[1])}
            yield from ((place, {"k": value}) for place, value in too_long(args[1], path))
        elif each is str:
            yield path, LONG
        elif each is typing.Any or isinstance(each, typing.TypeVar):
            yield from ((path, value) for value in (LONG, [LONG], {LONG: 1}, [0] * len(LONG)))


EVERY_WAY = [
    pytest.param(value, id="-".join([kind.__name__, *place, str(number)]))
    for kind in members(ChatKitReq)
    for number, (place, value) in enumerate(too_long(kind))
]


def test_the_ways_to_be_too_long_are_found_in_chatkits_types():
    found = " ".join(each.id for each in EVERY_WAY)
    for known in ("quoted_text", "data", "answers", "values", "result", "payload", "title", "text"):
        assert known in found
    assert len(EVERY_WAY) > 80


@pytest.mark.parametrize("body", EVERY_WAY)
def test_a_request_that_says_too_much_is_refused_wherever_it_says_it(body):
    with pytest.raises(PublicError) as refused:
        parse(json.dumps(body).encode())
    assert refused.value.status == 413


@pytest.mark.parametrize("kind", members(ChatKitReq))
def test_the_short_forms_of_all_requests_are_taken(kind):
    """So that the tests above are refused for their length."""
    parse(json.dumps(short(kind)).encode())


def test_what_a_request_says_in_several_places_counts_together():
    half = "x" * (MAX_WORDS // 2)
    parse(json.dumps(create(text=half)).encode())
    with pytest.raises(PublicError, match="200,000"):
        parse(json.dumps(create(text=half, quoted_text=half)).encode())


def test_a_recording_may_be_longer_than_a_text():
    params = {"audio_base64": "AAAA" * MAX_WORDS, "mime_type": "audio/webm"}
    parse(json.dumps({"type": "input.transcribe", "params": params}).encode())
