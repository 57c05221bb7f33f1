"""Dictation: speech to text within the limits of the person who speaks."""

from ..context import RequestContext
from ..store import Quota
from .transcription import HOW_TO_TURN_ON, Transcriber, TranscriptionError


class Dictation:
    """Speech to text that counts against the same rate limits as messages.

    Each transcription counts as one message. A recording that is not valid counts as none.
    """

    def __init__(self, transcriber: Transcriber, quota: Quota) -> None:
        self._transcriber = transcriber
        self._quota = quota

    def check_available(self) -> None:
        """Raises `TranscriptionError`, which names the setting that turns voice on, if it is off."""
        if not self._transcriber.available:
            raise TranscriptionError(400, HOW_TO_TURN_ON)

    async def transcribe(self, data: bytes, claimed: str | None, context: RequestContext) -> str:
        """The words in `data`; empty for silence. Raises `PublicError`."""
        self._transcriber.check(data, claimed)
        await self._quota.spend(context)
        return await self._transcriber.transcribe(data, claimed, context.locale)
