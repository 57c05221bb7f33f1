"""A model's refusal is shown as its answer and kept, without a retry that cannot help."""

import pytest

from tests.support.chat import text_of, thread_of
from tests.support.dialects import (
    DialectServer,
    Refuse,
    chunks,
    message_events,
    numbered,
    response,
)

REFUSAL = "I cannot help with that."
BEGUN = {"type": "response.created", "response": response()}


@pytest.fixture
def model():
    return DialectServer()


def refusal():
    part = {"type": "refusal", "refusal": REFUSAL}
    events = message_events(
        {"type": "response.content_part.added", "part": {**part, "refusal": ""}},
        {"type": "response.refusal.delta", "delta": REFUSAL[:9]},
        {"type": "response.refusal.delta", "delta": REFUSAL[9:]},
        {"type": "response.refusal.done", "refusal": REFUSAL},
        {"type": "response.content_part.done", "part": part},
        content=[part],
    )
    whole = {"type": "response.completed", "response": response(events[-1]["item"])}
    return numbered(BEGUN, *events, whole)


FILTERED = response(status="incomplete", incomplete_details={"reason": "content_filter"})
PROMPT_FILTERED = Refuse(
    400, {"error": {"message": "The prompt was filtered.", "code": "content_filter"}}
)
PLAYS = {
    "a refusal (Responses)": ("responses", refusal(), REFUSAL),
    "a refusal (chat completions)": (
        "chat_completions",
        chunks({"refusal": REFUSAL[:9]}, {"refusal": REFUSAL[9:]}),
        REFUSAL,
    ),
    "a filtered answer (Responses)": (
        "responses",
        numbered(BEGUN, {"type": "response.incomplete", "response": FILTERED}),
        "content filter",
    ),
    "a filtered answer (chat completions)": (
        "chat_completions",
        chunks({"role": "assistant", "content": ""}, finish="content_filter"),
        "content filter",
    ),
    "a filtered question (Responses)": ("responses", PROMPT_FILTERED, "content filter"),
    "a filtered question (chat completions)": (
        "chat_completions",
        PROMPT_FILTERED,
        "content filter",
    ),
}


@pytest.mark.parametrize(("model_api", "play", "words"), PLAYS.values(), ids=PLAYS)
class TestRefusals:
    @pytest.fixture
    def app_settings(self, app_settings, model_api):
        return app_settings.model_copy(update={"model_api": model_api})

    def test_a_refusal_is_streamed_and_kept(self, ada, model, model_api, play, words):
        model.script = [play]
        events = ada.create("Do it")
        assert "error" not in {event["type"] for event in events}
        assert words in text_of(events)
        kept = ada.items(thread_of(events))[-1]
        assert kept["type"] == "assistant_message"
        assert "".join(part["text"] for part in kept["content"]) == text_of(events)
        assert len(model.requests) == 1
