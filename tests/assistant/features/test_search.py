"""Searching earlier conversations."""

from datetime import UTC, datetime

from chatkit.types import (
    InferenceOptions,
    Page,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)

from functions.assistant.features.search import search_conversations

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Conversations:
    """Two conversations. The first is the one of the turn."""

    async def load_threads(self, limit, after, order, context):
        threads = [
            ThreadMetadata(id="thr_1", created_at=NOW),
            ThreadMetadata(id="thr_2", created_at=NOW, title="Trees"),
        ]
        return Page(data=threads)

    async def load_thread_items(self, thread_id, after, limit, order, context):
        assert thread_id == "thr_2"
        said = UserMessageItem(
            id="m", thread_id=thread_id, created_at=NOW, inference_options=InferenceOptions(),
            content=[UserMessageTextContent(text="The walnut tree")],
        )  # fmt: skip
        return Page(data=[said])


async def test_it_reports_its_progress_and_finds_all_words_in_one_message(turn):
    turn.store = Conversations()
    (match,) = await search_conversations.function(turn, "TREE walnut")
    assert (match.conversation, match.said_by, match.text) == (
        "Trees",
        "visitor",
        "The walnut tree",
    )
    assert turn.steps == ["1 of 1: Trees"]


async def test_it_says_when_it_finds_nothing(turn):
    turn.store = Conversations()
    assert "None of your earlier" in await search_conversations.function(turn, "oak")
