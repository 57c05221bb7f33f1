"""Speech to text by Gemini: a prompt with audio in it.

Gemini accepts wav, mp3, aiff, aac, ogg (Vorbis) and flac
(https://ai.google.dev/gemini-api/docs/audio). Browsers record other formats, so every recording but
wav and mp3 is converted to mp3.
"""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from .audio import Recording, TranscriptionError

URL = "https://generativelanguage.googleapis.com/v1beta"
MODEL = "gemini-2.5-flash"

MAX_BYTES = 14 * 1024 * 1024
"""Bytes of audio. A request with inline data may have 20 MB, and base64 adds a third."""

INSTRUCTION = (
    "Write down exactly what is said in this recording, in its own language, with punctuation. "
    "Do not answer it and add nothing. When nobody speaks, the text is empty."
)


class Gemini:
    """A `Provider` (see `functions.voice.transcription`) that asks Gemini."""

    def __init__(
        self, key: Callable[[], Awaitable[str]], model: str | None, base_url: str | None
    ) -> None:
        self._key = key
        self.model = model or MODEL
        self._url = f"{(base_url or URL).rstrip('/')}/models/{self.model}:generateContent"

    async def request(
        self, client: httpx2.AsyncClient, recording: Recording, language: str | None
    ) -> httpx2.Request:
        mime_type, audio = recording.mime_type, recording.data
        if recording.container not in {"wav", "mp3"}:
            mime_type, audio = "audio/mpeg", await _converted(recording.data)
        if len(audio) > MAX_BYTES:
            raise TranscriptionError(413, "The recording is too long for Gemini.")
        hint = f" They probably speak {language!r}." if language else ""
        return client.build_request(
            "POST",
            self._url,
            headers={"x-goog-api-key": await self._key()},
            json={
                "contents": [
                    {
                        "role": "user",
                        "parts": [
                            {"text": INSTRUCTION + hint},
                            {
                                "inlineData": {
                                    "mimeType": mime_type.replace("mpeg", "mp3"),
                                    "data": base64.b64encode(audio).decode(),
                                }
                            },
                        ],
                    }
                ],
                "generationConfig": {
                    "temperature": 0,
                    "responseMimeType": "application/json",
                    "responseSchema": {
                        "type": "OBJECT",
                        "properties": {"text": {"type": "STRING"}},
                        "required": ["text"],
                    },
                },
            },
        )

    def text(self, answer: Any) -> str:
        parts = answer["candidates"][0]["content"]["parts"]
        return str(json.loads("".join(part.get("text", "") for part in parts))["text"])


async def _converted(data: bytes) -> bytes:
    """The recording as mp3. When this is cancelled, its thread ends, too."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_to_mp3, data, stop.is_set)
    finally:
        stop.set()


def _to_mp3(data: bytes, is_stopped: Callable[[], bool]) -> bytes:
    try:
        # Only the second function's bundle contains PyAV, and only for Gemini.
        from .conversion import to_mp3  # noqa: PLC0415
    except ImportError:
        raise TranscriptionError(
            415, "Gemini cannot transcribe this recording here: PyAV is not installed."
        ) from None
    return to_mp3(data, MAX_BYTES, is_stopped)
