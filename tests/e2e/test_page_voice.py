"""Dictation and voice notes, with Chromium's fake microphone and a local speech server."""

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

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def speech_server():
    return OpenAIServer(transcript=WORDS)


@pytest.fixture(scope="module")
def server(request, speech_server):
    """A server with transcription turned on."""
    with (
        served(speech_server.app) as url,
        Dev(request.param, CHATKIT_TRANSCRIPTION_BASE_URL=f"{url}/v1") as running,
    ):
        yield running.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium with a sound at its microphone. The speech server returns a fixed text for it."""
    voice = tmp_path_factory.mktemp("voice") / "voice.wav"
    voice.write_bytes(tone(2.0))
    with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    ) as launched:
        yield launched


@pytest.fixture
def chat(page, server, speech_server):
    speech_server.uploads.clear()
    speech_server.script, speech_server.transcript = [None], WORDS
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
    """Dictate into the composer for a moment."""
    chat.button("Dictate").click()
    chat.page.get_by_label("Level").wait_for()
    # The level shows that sound arrives.
    chat.page.wait_for_function(
        "() => document.querySelector('openai-chatkit')"
        ".shadowRoot.querySelector('meter').value > 0.05"
    )
    chat.page.wait_for_timeout(700)
    chat.button("Finish dictation").click()


def test_dictated_text_is_in_the_composer_and_can_be_edited_and_sent(chat, speech_server):
    dictate(chat)
    expect(chat.composer).to_have_value(WORDS)
    (asked,) = chat.operations("input.transcribe")
    assert asked.url.endswith("/actions")
    (upload,) = speech_server.uploads
    assert upload["type"] == "audio/webm"
    assert upload["language"] == "en"
    assert loudest(upload["data"]) > 0.02
    assert chat.questions.count() == 0

    chat.composer.press("End")
    chat.composer.type(" today")
    chat.composer.press("Enter")
    expect(chat.questions.last).to_contain_text(f"{WORDS} today")
    chat.settle()


def test_a_voice_note_becomes_text_in_the_composer(chat, speech_server):
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    done(chat)
    expect(chat.composer).to_have_value(WORDS)
    (upload,) = speech_server.uploads
    assert upload["name"].endswith(".webm")
    assert loudest(upload["data"]) > 0.02
    assert [r for r in chat.requests if r.url.endswith("/actions/transcribe")]


def test_a_voice_note_shows_its_volume_and_length(chat):
    begin(chat)
    timer = chat.page.get_by_role("timer", name=re.compile("."))
    expect(timer).to_have_text("0:01")
    chat.page.wait_for_function(
        "() => Number(document.querySelector('.level').style.getPropertyValue('--level')) > 0.05"
    )
    expect(timer).to_have_text("0:02")
    assert complaints(chat) == []
    cancel(chat)


def test_a_cancelled_voice_note_frees_the_microphone_and_sends_nothing(chat, speech_server):
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
    assert speech_server.uploads == []
    assert not [r for r in chat.requests if r.url.endswith("/actions/transcribe")]


def test_silence_is_explained(chat, speech_server):
    speech_server.transcript = ""
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    done(chat)
    expect(chat.page.get_by_role("alert")).not_to_be_empty()
    expect(chat.composer).to_have_value("")


def test_a_speech_server_that_fails_is_explained(chat, speech_server, tolerated):
    tolerated.append("Failed to load resource")
    speech_server.script = [Fail(500, "internal sk-secret")]
    chat.composer.fill("what I had")
    begin(chat)
    expect(chat.page.get_by_role("timer")).to_have_text("0:01")
    done(chat)
    expect(chat.page.get_by_role("alert")).to_contain_text("The speech service failed")
    expect(chat.composer).to_have_value("what I had")
