"""Recordings: the container is found by the first bytes."""

import pytest

from functions.voice.audio import TranscriptionError, check_recording, sniff
from tests.support.speech import MIME, encoded, tone

MB = 1024 * 1024
CONTAINERS = ["webm", "ogg", "mp4", "wav", "mp3"]


@pytest.fixture(scope="module")
def recordings():
    return {container: encoded(tone(), container) for container in CONTAINERS}


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_containers_that_browsers_record_are_recognised(recordings, container):
    found = check_recording(recordings[container], MIME[container], MB)
    assert found.container == container
    assert found.filename == f"recording.{container}"


@pytest.mark.parametrize("claim", [None, "", "application/octet-stream"])
def test_a_recording_may_come_without_a_type(recordings, claim):
    assert check_recording(recordings["ogg"], claim, MB).container == "ogg"


def test_mpeg_frames_without_an_id3_tag_are_mp3(recordings):
    data = recordings["mp3"]
    assert data.startswith(b"ID3")
    tag = 10 + ((data[6] << 21) | (data[7] << 14) | (data[8] << 7) | data[9])
    assert sniff(data[tag:]) == "mp3"


@pytest.mark.parametrize(
    ("data", "claim", "status"),
    [
        (b"", "audio/webm", 422),
        (b"hello " * 100, "audio/webm", 422),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), None, 422),
        (b"\xff\xf1" + bytes(500), None, 422),  # AAC without a container
        (b"\x1a\x45\xdf\xa3\x42\x82\x88matroska" + bytes(500), None, 422),
        (tone()[:100], "audio/wav", 422),
        (tone(0.05), "audio/wav", 422),
        (tone(), "audio/webm", 415),
        (tone(), "audio/midi", 415),
        (tone(), "text/html", 415),
        (tone(40), "audio/wav", 413),
    ],
)
def test_data_that_is_not_a_recording_is_rejected_with_a_message(data, claim, status):
    with pytest.raises(TranscriptionError) as refused:
        check_recording(data, claim, MB)
    assert refused.value.status == status
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("length", range(13))
def test_a_few_bytes_are_never_a_recording(length):
    for start in (b"ID3", b"OggS", b"RIFF\0\0\0\0WAVE", b"\0\0\0\0ftypisom", b"\xff\xfb\x90\x00"):
        with pytest.raises(TranscriptionError):
            check_recording(start[:length] + b"", None, MB)
