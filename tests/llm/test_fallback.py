"""Another model answers when the first one fails before its first token, and only then."""

import logging
from types import SimpleNamespace

import httpx2
import openai
import pytest

from functions.llm.fallback import FallbackModel
from functions.llm.wrapped import WrappedModel

REQUEST = httpx2.Request("POST", "https://model.example")


def event(kind, **fields):
    return SimpleNamespace(type=kind, **fields)


CREATED = event("response.created")
TEXT = event("response.output_text.delta", delta="Hi")


def status(code):
    response = httpx2.Response(code, request=REQUEST)
    return openai.AsyncOpenAI(api_key="k")._make_status_error("no", body=None, response=response)


def failed(code):
    return event("response.failed", response=SimpleNamespace(error=SimpleNamespace(code=code)))


def in_stream(code):
    return openai.APIError("no", REQUEST, body={"code": code})


class Scripted(WrappedModel):
    def __init__(self, *events):
        self.events = events

    async def get_response(self):
        if isinstance(self.events[0], Exception):
            raise self.events[0]
        return self.events[0]

    async def stream_response(self):
        for each in self.events:
            if isinstance(each, Exception):
                raise each
            yield each


async def said(*events, whole=False):
    async def second():
        return Scripted("whole" if whole else event("second"))

    model = FallbackModel(Scripted(*events), "first", "other", second)
    if whole:
        return await model.get_response()
    return [each.type async for each in model.stream_response()]


@pytest.mark.parametrize(
    "error",
    [
        openai.APIConnectionError(request=REQUEST),
        openai.APITimeoutError(REQUEST),
        *map(status, (408, 429, 500, 503, 529)),
        in_stream("server_error"),
        in_stream("rate_limit_exceeded"),
    ],
    ids=repr,
)
async def test_a_fault_of_the_provider_lets_the_other_model_answer(error, caplog):
    assert await said(error) == ["second"]
    assert await said(CREATED, error) == ["second"]
    assert await said(error, whole=True) == "whole"
    line = caplog.records[0]
    assert line.levelno == logging.WARNING
    assert "model=first fallback=other" in line.getMessage()


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded"])
async def test_a_fault_that_comes_as_an_event_lets_the_other_model_answer_too(code):
    assert await said(CREATED, failed(code)) == ["second"]
    assert await said(event("error", code=code)) == ["second"]


@pytest.mark.parametrize(
    "error", [*map(status, (400, 401, 403, 404, 413, 422)), in_stream("invalid_prompt")], ids=repr
)
async def test_a_request_that_is_wrong_is_not_sent_to_the_other_model(error):
    with pytest.raises(openai.APIError):
        await said(error)
    with pytest.raises(openai.APIError):
        await said(error, whole=True)
    assert await said(failed("invalid_prompt")) == ["response.failed"]


async def test_a_fault_after_the_first_token_ends_the_answer():
    with pytest.raises(openai.APIConnectionError):
        await said(CREATED, TEXT, openai.APIConnectionError(request=REQUEST))
    events = await said(CREATED, TEXT, failed("server_error"))
    assert events == [CREATED.type, TEXT.type, "response.failed"]


async def test_an_answer_without_a_word_is_an_answer():
    assert await said(CREATED) == [CREATED.type]
