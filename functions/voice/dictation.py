"""Dictation: speech to text within a user's rate limits."""

from ..context import RequestContext
from ..limits import Limits, Use
from .transcription import HOW_TO_TURN_ON, Transcriber, TranscriptionError


class Dictation:
    """Transcribes recordings. Each counts as one message; an invalid recording counts as none."""

    def __init__(self, transcriber: Transcriber, limits: Limits) -> None:
        self._transcriber = transcriber
        self._limits = limits

    def check_available(self) -> None:
        """Raise `TranscriptionError` when voice is off. Its message names the settings for it."""
        if not self._transcriber.available:
            raise TranscriptionError(400, HOW_TO_TURN_ON)

    async def transcribe(self, data: bytes, claimed: str | None, context: RequestContext) -> str:
        """The words in `data`; empty for silence. `claimed` is the MIME type that the sender gave.

        Raises `TranscriptionError`, and `OverLimit` when a limit is reached.
        """
        self._transcriber.check(data, claimed)
        await self._limits.spend(context, Use(messages=1))
        return await self._transcriber.transcribe(data, claimed, context.locale)
