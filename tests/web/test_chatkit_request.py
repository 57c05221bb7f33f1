"""Invalid input gets a message that text what is wrong without quoting the input."""

import json

import pytest

from functions.errors import PublicError
from functions.web.chatkit_request import parse


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
