"""The starter answers from documents that were put in, and a citation opens its passage."""

import os
import re
import shutil
import subprocess
import sys

import httpx2
import pytest
from chat_page import Chat, complaints
from playwright.sync_api import expect

from tests.support.dev import ROOT, STARTER, Dev


def put_in(dev, folder):
    """`make ingest`, which returns when the folder's documents can be found."""
    port = dev.url.rpartition(":")[2]
    subprocess.run(
        [sys.executable, "-m", "infra.cli.command", "ingest", "--dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PORT": port, "CHATKIT_LOCAL_DIR": str(folder.parent)},
        check=True,
    )


@pytest.mark.parametrize("target", ["dev", "lambda"])
def test_the_starter_answers_from_its_docs_and_a_click_opens_the_passage(page, target, tmp_path):
    with Dev(target, folder=tmp_path, CHATKIT_KNOWLEDGE="true", **STARTER) as dev:
        if target == "dev":
            dev.wait_until(lambda: "docs/ is indexed" in dev.output())
        else:
            (tmp_path / "docs").mkdir()
            shutil.copy(ROOT / "docs" / "deploy.md", tmp_path / "docs")
            put_in(dev, tmp_path / "docs")
        chat = Chat(page(reduced_motion="reduce"), dev.url).open()
        chat.ask("How do I deploy this?")
        sources = chat.answers.last.get_by_role("list", name="Sources").get_by_role("button")
        sources.first.click()
        dialog = chat.page.get_by_role("dialog")
        expect(dialog.locator("mark")).to_contain_text(re.compile("deploy", re.IGNORECASE))
        expect(dialog).to_contain_text("docs/deploy.md")
        assert complaints(chat) == []
        link = dialog.get_by_role("link").get_attribute("href")
        assert httpx2.get(link).text.startswith("# Deploy")
        chat.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(sources.first).to_be_focused()
        assert "Passage" in chat.scripts
