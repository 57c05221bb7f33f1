"""The documents that the assistant answers from."""

import pytest

from functions.toolkit.testing import assistant_under_test

DOCS = {
    "docs/costs.md": "A deploy costs nothing.",
    "docs/deploy.md": "To deploy this, run `make deploy`.\n\nA deploy takes some minutes.",
}


async def test_the_demo_answers_from_the_documents_and_cites_them():
    async with assistant_under_test(documents=DOCS) as chat:
        said = await chat.say("How do I deploy this?")
    assert said.call.name == "search_knowledge"
    assert "> To deploy this, run `make deploy`." in said.text
    assert "[[" not in said.text
    (message,) = [each for each in said.new if each.type == "assistant_message"][1:]
    sources = [each.source for part in message.content for each in part.annotations]
    assert [each.title for each in sources] == ["docs/deploy.md", "docs/costs.md"]


@pytest.mark.parametrize("text", ["What can you do?", "Tell me a long story", "Hello"])
async def test_the_demo_searches_no_documents_for_small_talk(text):
    async with assistant_under_test(documents=DOCS) as chat:
        assert (await chat.say(text)).calls == []
