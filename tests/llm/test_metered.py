"""What a call of the model counts, whatever the provider reports and however it ends."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from agents import ModelSettings, Usage

from functions.limits.answer_use import FREE, AnswerUse
from functions.limits.measures import Use
from functions.llm import metered
from functions.llm.metered import MeteredModel, input_tokens
from functions.llm.wrapped import WrappedModel


class Reserved:
    """A reservation with room for everything."""

    async def add(self, use):
        pass


class Scripted(WrappedModel):
    def __init__(self, *events):
        self.events = events
        self.settings = None
        self.asked = asyncio.Event()

    async def get_response(self, instructions, sent, settings, tools):
        self.settings = settings
        return SimpleNamespace(usage=self.events[0])

    async def stream_response(self, instructions, sent, settings, tools):
        self.settings = settings
        self.asked.set()
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, float):
                await asyncio.sleep(event)
                continue
            yield event


def metering(*events, **options):
    use = AnswerUse(Reserved(), Use(messages=1), FREE)
    options = {"output_limit": 100, "limit_name": "max_tokens", "ask": False, **options}
    return MeteredModel(Scripted(*events), use, **options), use


def delta(text):
    return SimpleNamespace(type="response.output_text.delta", delta=text)


def completed(usage):
    return SimpleNamespace(type="response.completed", response=SimpleNamespace(usage=usage))


def usage(sent, came, cached=0):
    return SimpleNamespace(
        input_tokens=sent,
        output_tokens=came,
        input_tokens_details=SimpleNamespace(cached_tokens=cached),
    )


async def read(model, settings: Any = None, sent="x" * 400):
    arguments = (None, sent, settings or ModelSettings(), [])
    return [event async for event in model.stream_response(*arguments)]


async def test_what_the_provider_reports_is_counted():
    model, use = metering(delta("hello"), completed(usage(12, 3)))
    await read(model)
    assert (use.used.input_tokens, use.used.output_tokens) == (12, 3)


async def test_a_stream_without_a_report_is_estimated():
    model, use = metering(delta("x" * 40), completed(None))
    await read(model)
    assert (use.used.input_tokens, use.used.output_tokens) == (100, 10)


async def test_a_refused_call_counts_nothing_and_a_broken_one_what_came():
    refused = openai.APIConnectionError(request=None)
    for events, counted in (([refused], (0, 0)), ([delta("x" * 40), refused], (100, 10))):
        model, use = metering(*events)
        with pytest.raises(openai.APIConnectionError):
            await read(model)
        assert (use.used.input_tokens, use.used.output_tokens) == counted


@pytest.mark.parametrize(("seconds", "output"), [(0, 0), (1, 50), (60, 100)])
async def test_a_call_that_is_stopped_while_the_model_thinks_counts_the_time(
    seconds, output, monkeypatch
):
    model, use = metering(60.0)
    reading = asyncio.create_task(read(model))
    await model._model.asked.wait()
    now = time.monotonic()
    monkeypatch.setattr(metered, "time", SimpleNamespace(monotonic=lambda: now + seconds))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (use.used.input_tokens, use.used.output_tokens) == (100, output)


async def test_a_call_that_is_no_stream_counts_too():
    model, use = metering(Usage(requests=1, input_tokens=7, output_tokens=2, total_tokens=9))
    await model.get_response(None, "hi", ModelSettings(), [])
    assert (use.used.input_tokens, use.used.output_tokens) == (7, 2)


@pytest.mark.parametrize(
    ("options", "given", "sent"),
    [
        ({}, ModelSettings(), (100, None, None)),
        ({}, ModelSettings(max_tokens=7), (7, None, None)),
        ({"output_limit": None}, ModelSettings(), (None, None, None)),
        ({"ask": True}, ModelSettings(), (100, None, True)),
        (
            {"limit_name": "max_completion_tokens"},
            ModelSettings(extra_args={"a": 1}),
            (None, {"a": 1, "max_completion_tokens": 100}, None),
        ),
        (
            {"limit_name": "max_completion_tokens"},
            ModelSettings(extra_args={"max_completion_tokens": 7}),
            (None, {"max_completion_tokens": 7}, None),
        ),
    ],
)
async def test_the_longest_answer_is_told_as_the_provider_calls_it(options, given, sent):
    model, _ = metering(completed(usage(1, 1)), **options)
    await read(model, given)
    settings = model._model.settings
    assert (settings.max_tokens, settings.extra_args, settings.include_usage) == sent


def test_files_instructions_and_tools_are_estimated():
    tool = SimpleNamespace(name="t", description="d" * 39, params_json_schema={})
    assert input_tokens("i" * 40, "x" * 40, [tool]) == 10 + 10 + 10
    image = {"role": "user", "content": [{"type": "input_image", "image_url": "data:…"}]}
    assert input_tokens(None, [image], []) == metered.IMAGE_TOKENS
    pdf = {"role": "user", "content": [{"type": "input_file", "file_data": "A" * 100_000}]}
    assert input_tokens(None, [pdf], []) == 3_000
    huge = {"role": "user", "content": [{"type": "input_file", "file_data": "A" * 10**8}]}
    assert input_tokens(None, [huge], []) == metered.MOST_PDF_TOKENS
