"""A visitor saves their own data, deletes it, and is somebody new."""

import json
import re
from pathlib import Path

import pytest
from chat_page import Chat, complaints
from phrases import ANSWER, QUESTION
from playwright.sync_api import expect

pytestmark = pytest.mark.page


def test_a_visitor_saves_and_deletes_everything_of_theirs_and_begins_anew(page, server):
    chat = Chat(page(reduced_motion="reduce"), server).open()
    chat.ask(QUESTION)
    chat.button("Your data").click()
    dialog = chat.page.get_by_role("dialog", name="Your data")
    shown = dialog.locator("code")
    user = shown.text_content()
    assert re.fullmatch(r"anon_[0-9a-f]{32}", user)
    assert complaints(chat) == []

    with chat.page.expect_download() as saved:
        dialog.get_by_role("button", name="Download my data").click()
    document = json.loads(Path(saved.value.path()).read_text())
    assert document["user"] == user
    assert ANSWER in json.dumps(document["entries"], ensure_ascii=False)

    dialog.get_by_role("button", name="Delete my data…").click()
    dialog.get_by_label("Type “delete” to go on").fill("delete")
    assert complaints(chat) == []
    dialog.get_by_role("button", name="Delete everything").click()
    expect(chat.questions).to_have_count(0)
    expect(dialog).to_have_count(0)
    assert chat.thread is None
    chat.button("Your data").click()
    expect(shown).not_to_have_text(user)
    assert {"Foot", "YourData"} <= chat.scripts
