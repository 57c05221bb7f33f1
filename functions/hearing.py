"""Listening to somebody, within what they may ask for."""

from functions.context import RequestContext
from functions.http import Refusal
from functions.models.transcription import (
    HOW_TO_TURN_IT_ON,
    Transcriber,
    TranscriptionError,
)
from functions.store import OverQuota, Quota


class Hearing:
    """Speech to text that is paid for from the same purse as messages are.

    Each transcription counts as one message. A recording that cannot be heard
    counts as none.
    """

    def __init__(self, transcriber: Transcriber, quota: Quota) -> None:
        self._transcriber = transcriber
        self._quota = quota

    def check_available(self) -> None:
        """Raises `Refusal`, with the setting that turns voice on, when nobody listens."""
        if not self._transcriber.available:
            raise Refusal(400, HOW_TO_TURN_IT_ON)

    async def hear(self, data: bytes, claimed: str | None, context: RequestContext) -> str:
        """The words in `data`; empty for silence. Raises `Refusal`."""
        try:
            self._transcriber.check(data, claimed)
            await self._quota.spend(context)
            return await self._transcriber.transcribe(data, claimed, context.locale)
        except TranscriptionError as error:
            raise Refusal(error.status, error.message) from None
        except OverQuota as error:
            wait = {"retry-after": str(error.retry_after)}
            raise Refusal(429, error.message, wait) from None
