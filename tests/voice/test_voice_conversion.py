"""What a recording decodes to is limited while it is decoded, because silence packs to nothing."""

import asyncio
import threading

import pytest

from functions.settings import Settings
from functions.voice import gemini_speech, transcription
from functions.voice.transcription import Transcriber, TranscriptionError
from tests.support.speech import encoded, tone

conversion = pytest.importorskip("functions.voice.conversion", reason="PyAV is not installed")

MANY = 14 * 1024 * 1024


class Frames:
    """Counts the frames that are decoded, and stops after `last`."""

    def __init__(self, last=None):
        self.last = last
        self.seen = 0

    def __call__(self):
        self.seen += 1
        return self.seen == self.last


@pytest.fixture(scope="module")
def silence():
    return encoded(tone(20, loudness=0), "ogg")


@pytest.fixture(scope="module")
def all_frames(silence):
    frames = Frames()
    assert conversion.to_mp3(silence, MANY, frames)
    return frames.seen


def test_decoding_ends_when_the_sound_is_longer_than_an_hour(silence, all_frames, monkeypatch):
    monkeypatch.setattr(conversion, "MAX_SECONDS", 5)
    frames = Frames()
    with pytest.raises(TranscriptionError, match="an hour") as refused:
        conversion.to_mp3(silence, MANY, frames)
    assert refused.value.status == 413
    assert frames.seen == pytest.approx(all_frames / 4, rel=0.05)


def test_decoding_ends_when_the_result_is_too_large(silence, all_frames):
    frames = Frames()
    with pytest.raises(TranscriptionError) as refused:
        conversion.to_mp3(silence, 20_000, frames)
    assert refused.value.status == 413
    assert frames.seen < all_frames / 2


def test_decoding_ends_at_the_next_frame_when_it_is_stopped(silence):
    frames = Frames(last=3)
    with pytest.raises(TranscriptionError):
        conversion.to_mp3(silence, MANY, frames)
    assert frames.seen == 3


async def test_the_thread_that_decodes_ends_when_the_transcription_has_timed_out(
    silence, monkeypatch
):
    ended = threading.Event()

    def long(_data, is_stopped):
        never = threading.Event()
        for _ in range(1_000):
            if is_stopped():
                ended.set()
                break
            never.wait(0.01)
        return b""

    monkeypatch.setattr(gemini_speech, "_to_mp3", long)
    monkeypatch.setattr(transcription, "TRANSCRIBE_TIMEOUT", 0.1)
    transcriber = Transcriber(Settings(_env_file=None, gemini_api_key="g-1"))
    with pytest.raises(TranscriptionError) as refused:
        await transcriber.transcribe(silence, "audio/ogg", None)
    await transcriber.aclose()
    assert refused.value.status == 504
    assert await asyncio.to_thread(ended.wait, 10)
