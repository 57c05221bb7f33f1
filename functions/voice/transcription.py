"""Transcription: the choice of a provider, and the requests to it.

This uses plain HTTP and not the OpenAI SDK, because importing the SDK would double the second
function's cold start (`make bench` measures it), and one request with one file does not need it.
The SDK itself depends on `httpx2`.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import httpx2

from ..llm.keys import gemini_key, openai_key, transcription_key
from ..llm.providers import OPENAI_URL, key_of
from ..settings import Settings
from ..telemetry import name_or_dash
from .audio import Recording, TranscriptionError, check_recording
from .gemini_speech import Gemini

logger = logging.getLogger(__name__)

OPENAI_MODEL = "gpt-4o-mini-transcribe"

TIMEOUT = httpx2.Timeout(connect=5, read=45, write=30, pool=5)
"""Seconds. A provider answers when it has transcribed the whole recording, so `read` is longest."""

TRANSCRIBE_TIMEOUT = 50
"""Seconds for both attempts. CloudFront waits at most 60 seconds for the first byte."""

HOW_TO_TURN_ON = (
    "Voice is off here. It is turned on with OPENAI_API_KEY or GEMINI_API_KEY, "
    "or with CHATKIT_TRANSCRIPTION_BASE_URL for a server of your own."
)


class Provider(Protocol):
    model: str

    async def request(
        self, client: httpx2.AsyncClient, recording: Recording, language: str | None
    ) -> httpx2.Request:
        """The request that asks for a recording's text. `language` is an ISO 639-1 code."""

    def text(self, answer: Any) -> str:
        """The text in the provider's answer.

        Raises `ValueError`, `LookupError` or `TypeError` when the answer has another shape.
        """


class OpenAICompatible:
    """`POST /audio/transcriptions`: OpenAI, or any server with the same API."""

    def __init__(self, base_url: str, model: str, key: Callable[[], Awaitable[str]]) -> None:
        self._url = f"{base_url.rstrip('/')}/audio/transcriptions"
        self.model = model
        self._key = key

    async def request(
        self, client: httpx2.AsyncClient, recording: Recording, language: str | None
    ) -> httpx2.Request:
        key = await self._key()
        fields = {"model": self.model, "response_format": "json"}
        if language:
            fields["language"] = language
        return client.build_request(
            "POST",
            self._url,
            headers={"authorization": f"Bearer {key}"} if key else {},
            data=fields,
            files={"file": (recording.filename, recording.data, recording.mime_type)},
        )

    def text(self, answer: Any) -> str:
        return str(answer["text"])


def provider(settings: Settings) -> Provider | None:
    """The provider that `settings` choose (`voice_provider`); `None` when voice is off."""
    model, base_url = settings.transcription_model, settings.transcription_base_url
    match settings.voice_provider:
        case "gemini":
            return Gemini(gemini_key(settings), model, base_url)
        case "openai" if base_url is not None:
            return OpenAICompatible(base_url, model or OPENAI_MODEL, transcription_key(settings))
        case "openai" if settings.openai_base_url and not settings.uses_openai:
            key = key_of("compatible", settings)
            return OpenAICompatible(settings.openai_base_url, model or OPENAI_MODEL, key)
        case "openai":
            return OpenAICompatible(OPENAI_URL, model or OPENAI_MODEL, openai_key(settings))
    return None


class Transcriber:
    """Transcribes recordings. Make one for a process, because it keeps its connections."""

    def __init__(self, settings: Settings) -> None:
        self._provider = provider(settings)
        self._name = settings.voice_provider
        self._max_bytes = settings.transcription_max_bytes
        self._client: httpx2.AsyncClient | None = None

    @property
    def available(self) -> bool:
        """Whether the settings choose a provider."""
        return self._provider is not None

    def check(self, data: bytes, claimed: str | None) -> Recording:
        """`data` as a `Recording`, if it could be transcribed. Raises `TranscriptionError`."""
        if self._provider is None:
            raise TranscriptionError(400, HOW_TO_TURN_ON)
        return check_recording(data, claimed, self._max_bytes)

    async def transcribe(self, data: bytes, claimed: str | None, locale: str | None) -> str:
        """The words in `data`; empty for silence.

        `claimed` is the MIME type that the sender gave, and `locale` the language that the speaker
        probably uses, such as `de-AT`. Raises `TranscriptionError`.
        """
        recording = self.check(data, claimed)
        try:
            async with asyncio.timeout(TRANSCRIBE_TIMEOUT):
                answer = await self._ask(recording, _language(locale))
        except TimeoutError:
            raise TranscriptionError(
                504, "Transcription took too long. Try again, or use a shorter recording."
            ) from None
        return answer.strip()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _ask(self, recording: Recording, language: str | None) -> str:
        provider = self._provider
        if provider is None:
            raise TypeError("`check` allows no recording without a provider")
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT)
        request = await provider.request(self._client, recording, language)
        answer = await self._send(request)
        if answer is None or answer.status_code == 429 or answer.status_code >= 500:  # noqa: PLR2004
            # One retry, after a random wait so that many requests do not come back together.
            await asyncio.sleep(random.uniform(0.3, 1.2))  # noqa: S311
            answer = await self._send(request)
        if answer is None:
            raise TranscriptionError(502, "The speech service cannot be reached right now.")
        if not answer.is_success:
            self._log_refusal(provider.model, answer)
            raise _error_for(answer.status_code)
        try:
            return provider.text(answer.json())
        except (ValueError, LookupError, TypeError):
            logger.error("the speech service's answer has an unknown shape")  # noqa: TRY400
            raise TranscriptionError(502, "The speech service gave no usable answer.") from None

    def _log_refusal(self, model: str, answer: httpx2.Response) -> None:
        """Log the refusal without its message, which may quote the request."""
        code = None
        with contextlib.suppress(ValueError, LookupError, TypeError):
            code = answer.json()["error"]["code"]
        logger.warning(
            "the speech service refused a request: provider=%s model=%s status=%s code=%s "
            "request_id=%s",
            self._name,
            model,
            answer.status_code,
            name_or_dash(code),
            name_or_dash(answer.headers.get("x-request-id")),
        )

    async def _send(self, request: httpx2.Request) -> httpx2.Response | None:
        if self._client is None:
            raise TypeError("closed")
        try:
            return await self._client.send(request)
        except httpx2.TimeoutException:
            raise TimeoutError from None
        except httpx2.TransportError as error:
            logger.warning("the speech service cannot be reached: %s", type(error).__name__)
            return None


def _error_for(status: int) -> TranscriptionError:
    match status:
        case 400 | 415 | 422:
            return TranscriptionError(422, "No speech could be read from this recording.")
        case 413:
            return TranscriptionError(413, "The recording is too large for the speech service.")
        case 401 | 403:
            return TranscriptionError(502, "The speech service did not accept its API key.")
        case 404:
            return TranscriptionError(502, "The speech service does not know this model.")
        case 429:
            return TranscriptionError(503, "The speech service is busy. Try again in a moment.")
    return TranscriptionError(502, "The speech service failed. Try again.")


def _language(locale: str | None) -> str | None:
    """The ISO 639-1 code of a locale, such as `de` of `de-AT`, as providers want it."""
    code = (locale or "").partition("-")[0].lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None  # noqa: PLR2004


__all__ = ["Transcriber", "TranscriptionError"]
