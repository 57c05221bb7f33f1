"""A provider may cut its text in the middle of a character."""

import json

import httpx2
import pytest

from functions.llm.whole_answers import Pieces, make_whole


def arguments(*calls):
    """The arguments of the tool calls with these indexes, after `Pieces` has read all chunks."""
    pieces = Pieces()
    joined = {}
    for index, text in calls:
        call = {"index": index, "function": {"arguments": text}}
        chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        line = pieces.join(b"data: " + json.dumps(chunk).encode())
        read = json.loads(line[6:])["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
        joined[index] = joined.get(index, "") + read
    return joined


def test_the_halves_of_two_tool_calls_that_come_in_turns_are_not_mixed_up():
    calls = [(0, "a\ud83d"), (1, "b\ud83d"), (0, "\ude00"), (1, "\ude01")]
    assert arguments(*calls) == {0: "a😀", 1: "b😁"}


def test_a_half_whose_other_half_does_not_come_is_replaced():
    assert arguments((0, "a\ud83d"), (0, ""), (0, "b"), (0, "\ude00")) == {0: "a\ufffdb\ufffd"}


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_stream_is_read_line_by_line_and_otherwise_passed_on(size):
    sent = rb"""event: x
data: {"delta": "\ud83d"}

data: {"delta": "\ude00"}
: a comment
data: [DONE]"""

    class Stream(httpx2.AsyncByteStream):
        async def __aiter__(self):
            for at in range(0, len(sent), size):
                yield sent[at : at + size]

    response = httpx2.Response(200, stream=Stream())
    await make_whole(response)
    lines = (await response.aread()).splitlines()
    assert [lines[0], lines[4], lines[5]] == [b"event: x", b": a comment", b"data: [DONE]"]
    assert [json.loads(lines[at][5:])["delta"] for at in (1, 3)] == ["", "😀"]
