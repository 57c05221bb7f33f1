"""Recordings: their container is found by the first bytes and compared with the claimed type.

MediaRecorder makes webm/opus in Chromium, ogg/opus or webm in Firefox, and mp4/aac in Safari.
"""

from dataclasses import dataclass
from typing import Literal

from ..errors import PublicError

Container = Literal["webm", "ogg", "mp4", "wav", "mp3"]

MIN_BYTES = 256
"""The headers of a container alone take about this many bytes, so fewer hold no speech."""

MIN_SECONDS = 0.1
"""OpenAI's minimum: "Audio file is too short. Minimum audio length is 0.1 seconds."."""

MIME: dict[Container, str] = {
    "webm": "audio/webm",
    "ogg": "audio/ogg",
    "mp4": "audio/mp4",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
}

_CLAIMS: dict[str, Container] = {
    "audio/webm": "webm",
    "video/webm": "webm",
    "audio/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/mp4": "mp4",
    "audio/m4a": "mp4",
    "audio/x-m4a": "mp4",
    "audio/aac": "mp4",
    "video/mp4": "mp4",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}

_NO_CLAIM = {"", "application/octet-stream", "binary/octet-stream"}


class TranscriptionError(PublicError):
    """A recording was not transcribed; `message` says why.

    `status` is 4xx when the cause is the recording or the settings, and 5xx when it is the
    provider.
    """


@dataclass(frozen=True)
class Recording:
    data: bytes
    container: Container

    @property
    def mime_type(self) -> str:
        return MIME[self.container]

    @property
    def filename(self) -> str:
        return f"recording.{self.container}"


def check_recording(data: bytes, claimed: str | None, max_bytes: int) -> Recording:
    """`data` as a `Recording`.

    `claimed` is the MIME type that the sender gave, with or without parameters. Raises
    `TranscriptionError`: 413 over `max_bytes`, 422 for data that is empty, too short or no audio,
    415 for a claimed type that is not supported or that the bytes contradict.
    """
    if len(data) > max_bytes:
        megabytes = max_bytes // (1024 * 1024)
        raise TranscriptionError(413, f"The recording is larger than {megabytes} MB.")
    if not data:
        raise TranscriptionError(422, "The recording is empty.")
    claim = claimed_container(claimed)
    found = sniff(data)
    if found is None:
        raise TranscriptionError(422, "This is not a recording in webm, ogg, mp4, wav or mp3.")
    if claim is not None and claim != found:
        raise TranscriptionError(415, f"The recording says that it is {claim}, but it is {found}.")
    if len(data) < MIN_BYTES or _seconds(data, found) < MIN_SECONDS:
        raise TranscriptionError(422, "The recording is too short.")
    return Recording(data, found)


def claimed_container(claimed: str | None) -> Container | None:
    """The container that a MIME type names; `None` when it names no specific type.

    Raises `TranscriptionError` (415) for a type that is not supported.
    """
    mime = (claimed or "").partition(";")[0].strip().lower()
    if mime in _NO_CLAIM:
        return None
    try:
        return _CLAIMS[mime]
    except KeyError:
        raise TranscriptionError(
            415, "Recordings are taken in webm, ogg, mp4 (m4a), wav and mp3."
        ) from None


def sniff(data: bytes) -> Container | None:
    """The container that the first bytes show; `None` when they show none."""
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        # EBML. Matroska begins the same; the DocType in the header tells them apart.
        return "webm" if b"webm" in data[:64] else None
    if data.startswith(b"OggS"):
        return "ogg"
    if data[4:8] == b"ftyp":
        return "mp4"
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"ID3") or _is_mpeg_frame(data):
        return "mp3"
    return None


def _is_mpeg_frame(data: bytes) -> bool:
    # Eleven sync bits, a valid version, layer III, a valid bit rate and a valid sampling rate.
    if len(data) < 3 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - the header
        return False
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    rate, sampling = data[2] >> 4, data[2] >> 2 & 3
    return version != 1 and layer == 1 and rate not in {0, 15} and sampling != 3  # noqa: PLR2004


def _seconds(data: bytes, container: Container) -> float:
    """The duration by the header of a wav file; `MIN_SECONDS` for other containers."""
    if container != "wav" or data[12:16] != b"fmt ":
        return MIN_SECONDS
    bytes_per_second = int.from_bytes(data[28:32], "little")
    start = data.find(b"data", 12)
    return (len(data) - start - 8) / bytes_per_second if bytes_per_second and start > 0 else 0.0
