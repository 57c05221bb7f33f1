"""A provider that refuses a file is asked again without it, so no thread ends with a file."""

import json

import pytest

from tests.chat.test_chat_files import PNG, uploaded
from tests.support.chat import text_of, thread_of
from tests.support.openai_server import Call, Fail, Say

PDF = b"%PDF-1.7\n/Encrypt\n"


@pytest.fixture
def app_settings(app_settings, model_api):
    return app_settings.model_copy(update={"model_api": model_api})


def send_files(chat):
    files = [uploaded(chat, PNG), uploaded(chat, PDF, name="ü.pdf", mime_type="application/pdf")]
    return chat.create("What is in these?", attachments=files)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_the_model_answers_knowing_the_names_of_what_was_refused(ada, model, status):
    model.script = [Fail(status), Say("I cannot see them.")]
    events = send_files(ada)
    assert text_of(events) == "I cannot see them."
    first, again = (json.dumps(request, ensure_ascii=False) for request in model.requests)
    for kind in ("image_url", "file_data"):
        assert kind in first
        assert kind not in again
    assert "ü.pdf" in again
    assert "What is in these?" in again


def test_a_thread_whose_file_was_refused_goes_on(ada, model):
    model.script = [Fail(400), Say("No."), Fail(400), Say("Yes.")]
    thread = thread_of(send_files(ada))
    assert text_of(ada.say(thread, "Can you hear me?")) == "Yes."


def test_an_answer_of_several_steps_is_refused_once(ada, model):
    model.script = [Fail(400), Call("add", {"a": "40", "b": "2"}), Say("It is 42.")]
    assert text_of(send_files(ada)) == "It is 42."
    shown = ["file_data" in json.dumps(request) for request in model.requests]
    assert shown == [True, False, False]


def test_a_request_that_is_refused_without_its_files_too_is_an_error(ada, model):
    model.script = [Fail(400)]
    error = send_files(ada)[-1]
    assert (error["type"], error["allow_retry"]) == ("error", False)
    assert len(model.requests) == 2


@pytest.mark.parametrize("files", [True, False])
def test_nothing_is_asked_again_where_that_is_no_remedy(ada, model, files):
    model.script = [Fail(401 if files else 400)]
    error = (send_files(ada) if files else ada.create("Hi"))[-1]
    assert error["type"] == "error"
    assert len(model.requests) == 1
