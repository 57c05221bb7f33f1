"""The composer: files, mentions, commands, drafts."""

import re
import struct
import zlib
from pathlib import Path

import httpx2
import pytest
from chat_page import Chat
from phrases import (
    ANSWER,
    CARD,
    CARD_BOX,
    HELLO,
    MENTION_GROUP,
    MENTION_TYPE,
    MENU_TOOL,
    MENU_TOOL_ANSWER,
    MENU_TOOL_MESSAGE,
    QUESTION,
)
from playwright.sync_api import expect


@pytest.fixture
def chat(page, server):
    return Chat(page(), server).open()


def _png() -> bytes:
    def chunk(kind, data):
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    rows = b"".join(b"\0" + b"\x1f\x6f\x5c" * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def attach(chat, name, kind, data):
    chat.page.locator('input[type="file"]').set_input_files(
        {"name": name, "mimeType": kind, "buffer": data}
    )


def test_files_are_uploaded_sent_and_still_there_after_a_reload(chat):
    attach(chat, "pixel.png", "image/png", _png())
    attach(chat, "notes.txt", "text/plain", b"remember the milk")
    expect(chat.page.locator('.composer .file[data-state="done"]')).to_have_count(2)
    assert chat.operations("attachments.create")[0].response().status == 200
    chat.ask(HELLO)
    sent = chat.questions.first
    expect(sent.get_by_text("notes.txt")).to_be_visible()
    chat.page.reload()
    expect(sent.get_by_text("notes.txt")).to_be_visible()
    image = sent.get_by_role("img", name="pixel.png")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8
    image.evaluate("image => { image.style.height = '200px' }")
    assert sent.locator(".file", has_text="notes.txt").bounding_box()["height"] < 60
    with chat.page.expect_popup() as opened:
        image.click()
    assert opened.value.url == image.get_attribute("src")
    opened.value.close()
    with chat.page.expect_download() as saved:
        sent.get_by_role("button", name="Save notes.txt").click()
    assert saved.value.suggested_filename == "notes.txt"
    assert Path(saved.value.path()).read_bytes() == b"remember the milk"


@pytest.mark.page
def test_an_attached_file_can_be_removed_and_is_deleted(chat):
    attach(chat, "notes.txt", "text/plain", b"never mind")
    expect(chat.page.locator('.file[data-state="done"]')).to_have_count(1)
    with chat.page.expect_response(
        lambda r: "attachments.delete" in (r.request.post_data or "")
    ) as gone:
        chat.button("Remove notes.txt").click()
    expect(chat.page.locator(".file")).to_have_count(0)
    assert gone.value.status == 200


def uploads_go(chat, answer):
    """Lets `answer` handle the uploads to S3."""
    chat.page.route(
        re.compile("/chatkit-attachments/"),
        lambda route: answer(route) if route.request.method == "PUT" else route.continue_(),
    )


@pytest.mark.page
def test_an_upload_shows_its_progress_and_the_message_waits_for_it(chat):
    held = []
    uploads_go(chat, held.append)
    with chat.page.expect_request(lambda request: request.method == "PUT"):
        attach(chat, "notes.txt", "text/plain", b"remember the milk")
    progress = chat.page.get_by_role("progressbar", name="Uploading notes.txt")
    expect(progress).to_be_visible()
    chat.composer.fill(HELLO)
    chat.composer.press("Enter")
    expect(chat.page.locator(".send")).to_be_disabled()
    assert chat.operations("threads.create") == []
    (upload,) = held
    upload.continue_()
    expect(progress).to_have_count(0)
    chat.composer.press("Enter")
    expect(chat.questions.first).to_contain_text("notes.txt")
    chat.settle()


@pytest.mark.page
def test_an_upload_that_fails_says_so_and_the_text_stays(chat, tolerated):
    tolerated.append("Failed to load resource")
    uploads_go(chat, lambda route: route.fulfill(status=403))
    chat.composer.fill("Look at this")
    attach(chat, "notes.txt", "text/plain", b"remember the milk")
    failed = chat.page.locator('.file[data-state="failed"]')
    expect(failed).to_contain_text("The upload was refused.")
    expect(chat.composer).to_have_value("Look at this")
    chat.button("Remove notes.txt").click()
    chat.composer.press("Enter")
    expect(chat.questions).to_contain_text(["Look at this"])
    chat.settle()


@pytest.mark.page
def test_more_files_than_the_server_allows_are_refused(chat):
    most = httpx2.get(f"{chat.server}/config.json").json()["attachments"]["maxCount"]
    files = [
        {"name": f"{number}.txt", "mimeType": "text/plain", "buffer": b"x"}
        for number in range(most + 1)
    ]
    chat.page.locator('input[type="file"]').set_input_files(files)
    expect(chat.page.get_by_role("alert")).to_contain_text(f"At most {most} files")
    expect(chat.page.locator(".file")).to_have_count(most)


@pytest.mark.page
@pytest.mark.parametrize(
    ("name", "kind", "size", "words"),
    [
        ("run.exe", "application/x-msdownload", 2, "cannot be attached. Possible types: .png"),
        ("huge.txt", "text/plain", 21 * 1024 * 1024, "larger than 20 MB"),
        ("empty.txt", "text/plain", 0, "is empty"),
    ],
)
def test_a_file_that_is_not_allowed_is_refused_with_a_reason(chat, name, kind, size, words):
    chat.page.locator('input[type="file"]').evaluate(
        """(input, [name, type, size]) => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(size)], name, { type }));
            input.files = files.files;
            input.dispatchEvent(new Event("change"));
        }""",
        [name, kind, size],
    )
    expect(chat.page.get_by_role("alert")).to_contain_text(words)
    expect(chat.page.locator(".file")).to_have_count(0)
    assert chat.operations("attachments.create") == []


@pytest.mark.page
def test_an_entity_is_mentioned_previewed_and_clicked(chat):
    chat.ask(CARD)
    chat.composer.press_sequentially(f"What about @{CARD_BOX[:3]}")
    option = chat.page.get_by_role("option", name=CARD_BOX)
    expect(option).to_have_attribute("aria-selected", "true")
    expect(chat.composer).to_have_attribute("aria-expanded", "true")
    chat.composer.press("Enter")
    expect(chat.composer).to_have_value(f"What about @{CARD_BOX} ")
    chat.composer.press("Enter")
    expect(chat.questions).to_have_count(2)
    chat.settle()
    content = chat.operations("threads.add_user_message")[0].post_data_json["params"]["input"][
        "content"
    ]
    assert [part["type"] for part in content] == ["input_text", "input_tag"]
    assert content[1]["data"]["type"] == MENTION_TYPE

    tag = chat.questions.last.get_by_role("button", name=CARD_BOX)
    tag.hover()
    expect(chat.page.get_by_role("tooltip")).to_contain_text(MENTION_GROUP)
    tag.click()
    expect(chat.composer).to_have_value(f"About {CARD_BOX}")


@pytest.mark.page
def test_the_menu_of_mentions_closes_on_escape_and_keeps_the_text(chat):
    chat.ask(CARD)
    chat.button("Mention something").click()
    expect(chat.page.get_by_role("option").first).to_be_visible()
    chat.composer.press("Escape")
    expect(chat.page.get_by_role("option")).to_have_count(0)
    expect(chat.composer).to_have_value("@")


@pytest.mark.page
def test_commands_fill_the_composer_or_change_the_page(chat):
    chat.composer.press_sequentially("/add")
    chat.page.get_by_role("option", name="Add numbers").wait_for()
    chat.composer.press("Enter")
    expect(chat.composer).to_have_value("What is 1 + 1?")
    chat.composer.fill("")
    chat.composer.press_sequentially("/dark")
    chat.page.get_by_role("option", name="Dark").click()
    expect(chat.page.locator("html")).to_have_attribute("data-scheme", "dark")
    expect(chat.composer).to_have_value("")


@pytest.mark.page
def test_unsent_text_survives_a_reload_in_each_conversation(chat):
    chat.ask(QUESTION)
    chat.composer.fill("half a thought")
    chat.new_conversation()
    expect(chat.composer).to_have_value("")
    chat.composer.fill("another one")
    chat.page.reload()
    expect(chat.composer).to_have_value("another one")
    chat.button("Conversations").click()
    chat.page.locator(".threads .open").first.click()
    expect(chat.composer).to_have_value("half a thought")


@pytest.mark.page
def test_shift_enter_begins_a_line_and_enter_sends(chat):
    chat.composer.press_sequentially("What is")
    chat.composer.press("Shift+Enter")
    chat.composer.press_sequentially("7 * 6?")
    height = chat.composer.bounding_box()["height"]
    assert height > 60
    chat.composer.press("Enter")
    expect(chat.questions).to_contain_text(["What is\n7 * 6?"], use_inner_text=True)
    expect(chat.answers.last).to_contain_text(ANSWER)


@pytest.mark.page
def test_a_prompt_of_the_start_screen_is_sent_with_one_press(chat):
    chat.prompts.last.click()
    expect(chat.answers.last).to_contain_text(ANSWER)
    chat.settle()


@pytest.mark.page
def test_a_tool_from_the_menu_is_used_for_one_message(chat):
    chat.page.locator("summary", has_text="Tools").click()
    chat.page.get_by_role("button", name="Sums").click()
    chosen = chat.page.get_by_role("button", name="Sums", pressed=True)
    expect(chosen.first).to_be_visible()
    chat.ask(MENU_TOOL_MESSAGE)
    asked = chat.operations("threads.create")[0].post_data_json["params"]["input"]
    assert asked["inference_options"] == {"tool_choice": {"id": MENU_TOOL}}
    expect(chat.answers.last).to_contain_text(MENU_TOOL_ANSWER)
    expect(chosen).to_have_count(0)
