"""Searching earlier conversations."""

import json

from functions.toolkit.testing import says


async def test_it_reports_its_progress_and_finds_all_words_in_one_message(chat, use):
    chat.model = [says("How old is it?")]
    await chat.say("The walnut tree")
    chat.new_thread()
    said = await use("search_conversations", query="TREE walnut")
    (match,) = json.loads(said.call.result)
    assert (match["conversation"], match["said_by"], match["text"]) == (
        "The walnut tree",
        "visitor",
        "The walnut tree",
    )
    assert said.progress == ["1 of 1: The walnut tree"]


async def test_it_finds_nothing_of_others_and_says_so(chat, use):
    chat.model = [says("An oak!")]
    await chat.as_user("bob").say("The oak")
    said = await use("search_conversations", query="oak")
    assert "None of your earlier" in said.call.result
