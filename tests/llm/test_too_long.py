"""A provider may say in its stream that a request is too long."""

from types import SimpleNamespace

import pytest
from chatkit.errors import CustomStreamError

from functions.llm.too_long import RetryShorter

CREATED = SimpleNamespace(type="response.created")
FAILURE = SimpleNamespace(code="context_length_exceeded", message="no")
FAILED = SimpleNamespace(type="response.failed", response=SimpleNamespace(error=FAILURE))
ERROR = SimpleNamespace(type="error", code=None, message="maximum context length is 10 tokens")
WORD = SimpleNamespace(type="response.output_text.delta")


class Scripted:
    """A model that streams one list of events for each request."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.inputs = []

    async def stream_response(self, _instructions, given):
        self.inputs.append(given)
        for event in self.answers.pop(0):
            yield event


async def answered(model, given):
    return [event async for event in RetryShorter(model).stream_response(None, given)]


@pytest.mark.parametrize("failure", [FAILED, ERROR])
async def test_a_stream_that_begins_with_such_a_failure_is_asked_for_again(failure):
    model = Scripted([CREATED, failure], [CREATED, WORD])
    assert await answered(model, [{"role": "user", "content": "x" * 1000}]) == [CREATED, WORD]
    assert len(model.inputs[1][0]["content"]) < 700


@pytest.mark.parametrize("failure", [FAILED, ERROR])
async def test_after_the_last_failure_the_visitor_reads_that_it_is_too_long(failure):
    model = Scripted(*[[CREATED, failure]] * 3)
    with pytest.raises(CustomStreamError, match="too long") as caught:
        await answered(model, "x")
    assert not caught.value.allow_retry


async def test_an_answer_that_has_begun_is_not_asked_for_again():
    model = Scripted([CREATED, WORD, FAILED])
    assert await answered(model, "x") == [CREATED, WORD, FAILED]
