"""Speaking instead of typing, with Chromium's fake microphone and a server that listens."""

import re

import pytest
from chat_page import Chat, complaints
from playwright.sync_api import expect

from tests.support.chromium import chromium
from tests.support.dev import Dev
from tests.support.openai_server import Fail, OpenAIServer
from tests.support.served import served
from tests.support.speech import loudest, tone

WORDS = "Remind me to water the plants"
TRACKS = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.tracks = [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    tracks.push(...stream.getTracks());
    return stream;
};
"""


@pytest.fixture(scope="module")
def ears():
    return OpenAIServer(transcript=WORDS)


@pytest.fixture(scope="module", params=["dev", "lambda"])
def server(request, ears):
    """With speech to text turned on."""
    with (
        served(ears.app) as url,
        Dev(request.param, CHATKIT_TRANSCRIPTION_BASE_URL=f"{url}/v1") as running,
    ):
        yield running.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium with a note at its microphone: what it means, the server here makes up."""
    voice = tmp_path_factory.mktemp("voice") / "voice.wav"
    voice.write_bytes(tone(2.0))
    with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    ) as launched:
        yield launched


@pytest.fixture
def chat(page, server, ears):
    ears.uploads.clear()
    ears.script, ears.transcript = [None], WORDS
    return Chat(page(locale="en-GB"), server).open()


def note(chat):
    """The bar of the voice note: `.strong` is Done, the other button starts or cancels."""
    return chat.page.locator(".voice")


def begin(chat):
    note(chat).get_by_role("button").click()
    chat.page.get_by_role("timer").wait_for()


def done(chat):
    note(chat).locator("button.strong").click()


def cancel(chat):
    note(chat).locator("button:not(.strong)").click()


def dictate(chat):
    """Speak into the composer until something was said for a while."""
    chat.button("Dictate").click()
    chat.page.get_by_label("Level").wait_for()
    # The level moves when sound comes in: then there is something to write down.
    chat.page.wait_for_function(
        "() => document.querySelector('openai-chatkit')"
        ".shadowRoot.querySelector('meter').value > 0.05"
    )
    chat.page.wait_for_timeout(700)
    chat.button("Finish dictation").click()


def test_what_is_dictated_stands_in_the_composer_ready_to_edit_and_send(chat, ears):
    dictate(chat)
    expect(chat.composer).to_have_value(WORDS)
    (asked,) = chat.operations("input.transcribe")
    assert asked.url.endswith("/actions")
    (upload,) = ears.uploads
    assert upload["type"] == "audio/webm"
    assert upload["language"] == "en"
    assert loudest(upload["data"]) > 0.02
    assert chat.questions.count() == 0

    chat.composer.press("End")
    chat.composer.type(" today")
    chat.composer.press("Enter")
    expect(chat.questions.last).to_contain_text(f"{WORDS} today")
    chat.settle()


def test_a_voice_note_finds_its_way_into_the_composer(chat, ears):
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    done(chat)
    expect(chat.composer).to_have_value(WORDS)
    (upload,) = ears.uploads
    assert upload["name"].endswith(".webm")
    assert loudest(upload["data"]) > 0.02
    assert [r for r in chat.requests if r.url.endswith("/actions/transcribe")]


def test_a_voice_note_shows_how_loud_it_is_and_how_long_it_has_been(chat):
    begin(chat)
    timer = chat.page.get_by_role("timer", name=re.compile("."))
    expect(timer).to_have_text("0:01")
    chat.page.wait_for_function(
        "() => Number(document.querySelector('.level').style.getPropertyValue('--level')) > 0.05"
    )
    expect(timer).to_have_text("0:02")
    assert complaints(chat) == []
    cancel(chat)


def test_a_voice_note_that_is_cancelled_leaves_nothing_behind(chat, ears):
    chat.page.add_init_script(TRACKS)
    chat.page.reload()
    chat.composer.fill("what I had")
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    assert chat.page.evaluate("tracks.map((track) => track.readyState)") == ["live"]
    cancel(chat)
    expect(note(chat)).to_have_attribute("data-state", "idle")
    assert chat.page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    expect(chat.composer).to_have_value("what I had")
    assert ears.uploads == []
    assert not [r for r in chat.requests if r.url.endswith("/actions/transcribe")]


def test_silence_is_said_to_be_silence(chat, ears):
    ears.transcript = ""
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    done(chat)
    expect(chat.page.get_by_role("alert")).not_to_be_empty()
    expect(chat.composer).to_have_value("")


def test_a_speech_server_that_fails_is_said_in_words(chat, ears, tolerated):
    tolerated.append("Failed to load resource")
    ears.script = [Fail(500, "internal sk-secret")]
    chat.composer.fill("what I had")
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    done(chat)
    expect(chat.page.get_by_role("alert")).to_contain_text("The speech service failed")
    expect(chat.composer).to_have_value("what I had")
