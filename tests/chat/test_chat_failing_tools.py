"""What is logged and said when a tool or an action of the assistant fails."""

import json
import logging

import pytest

from functions.telemetry import SafeExceptions
from functions.toolkit import tools
from tests.assistants.sample.features import breakdown
from tests.support.chat import text_of
from tests.support.openai_server import Call, Say


@pytest.fixture
def log(caplog, server):
    """What is logged in AWS."""
    kept = list(caplog.handler.filters)
    caplog.handler.filters[:] = [SafeExceptions()]
    caplog.set_level(logging.INFO)
    yield caplog
    caplog.handler.filters[:] = kept


def test_the_log_has_the_failed_tool_with_its_place_and_no_words(ada, model, log):
    model.script = [Call("break_down"), Say("I could not do that.")]
    assert text_of(ada.create()) == "I could not do that."
    assert "the tool break_down failed: KeyError" in log.text
    assert "breakdown.py" in log.text
    assert "in break_down" in log.text
    assert breakdown.REASON not in log.text
    sent = json.dumps(model.requests[1])
    assert "The tool failed." in sent
    assert breakdown.REASON not in sent


def test_a_failed_tool_that_would_end_the_answer_does_not_end_it(ada, model, log):
    model.script = [Call("break_the_end"), Say("I could not do that.")]
    assert text_of(ada.create()) == "I could not do that."


def test_a_tool_that_takes_too_long_is_logged_and_the_model_is_told(ada, model, log, monkeypatch):
    monkeypatch.setattr(breakdown.wait.function_tool, "timeout_seconds", 0.05)
    model.script = [Call("wait"), Say("It took too long.")]
    assert text_of(ada.create()) == "It took too long."
    assert "the tool wait took longer than" in log.text
    assert f"{tools.FAILED}: it took longer than" in json.dumps(model.requests[1])
