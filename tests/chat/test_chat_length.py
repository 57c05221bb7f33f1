"""A conversation that is too long for the model is shortened, and answered."""

import json

import pytest

from functions.settings import Settings
from tests.support.chat import text_of, thread_of
from tests.support.openai_server import Fail

PASTE = "The beginning. " + "paste " * 11_700 + "The end."
"""70,000 characters."""


@pytest.fixture
def app_settings(cloud, model_url, model_api):
    return Settings(
        _env_file=None,
        openai_base_url=model_url,
        model="test",
        model_api=model_api,
        history_tokens=20_000,
    )


def sent(request):
    return json.dumps(request.get("messages") or request.get("input"))


def test_a_long_paste_is_still_there_when_the_question_comes_after_it(ada, model):
    thread = thread_of(ada.create(PASTE))
    ada.say(thread, "What did I paste?")
    assert "What did I paste?" in sent(model.requests[-1])
    assert sent(model.requests[-1]).count("paste ") >= 11_700


def test_a_message_over_the_budget_is_cut_in_its_middle_with_a_note(ada, model):
    ada.create("The beginning. " + "x" * 190_000 + "The end.")
    asked = sent(model.requests[-1])
    assert "The beginning." in asked
    assert "The end." in asked
    assert "characters are left out here" in asked
    assert len(asked) < 82_000


@pytest.mark.parametrize(
    "too_long",
    [
        Fail(400, "Your input exceeds the limit.", "context_length_exceeded"),
        Fail(400, "This model's maximum context length is 8192 tokens. However, you requested"),
        Fail(400, "The input token count (9000) exceeds the maximum number of tokens allowed"),
        Fail(413, "Please reduce the length of the messages or completion."),
        Fail(400, "prompt is too long: 210000 tokens > 200000 maximum"),
        Fail(400, "the request exceeds the available context size", "exceed_context_size_error"),
    ],
    ids=["OpenAI", "vLLM", "Gemini", "Groq", "Anthropic", "llama.cpp"],
)
def test_a_request_that_is_too_long_is_sent_again_with_half_of_it(ada, model, too_long):
    thread = thread_of(ada.create("a " * 10_000))
    model.longest, model.too_long = 15_000, too_long
    model.requests.clear()
    assert text_of(ada.say(thread, "And now?")) == "Hello from the test model."
    assert len(model.requests) == 2
    assert "And now?" in sent(model.requests[-1])
    assert "too long for you" in sent(model.requests[-1])


def test_then_the_newest_message_is_cut_and_sent_alone(ada, model):
    thread = thread_of(ada.create("a " * 10_000))
    model.longest = 12_000
    model.requests.clear()
    assert text_of(ada.say(thread, "b " * 10_000)) == "Hello from the test model."
    assert len(model.requests) == 3
    assert "a a a" not in sent(model.requests[-1])
    assert "b b b" in sent(model.requests[-1])


def test_the_visitor_reads_that_it_is_too_long_when_nothing_helps(ada, model):
    model.longest = 10
    events = ada.create("Hello " * 20)
    error = next(event for event in events if event["type"] == "error")
    assert "too long for the model" in error["message"]
    assert not error.get("allow_retry")
    assert len(model.requests) == 3
