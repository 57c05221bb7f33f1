"""Dictation: speech to text within a user's limits."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ..context import RequestContext
from ..limits import Limits, Use
from .transcription import HOW_TO_TURN_ON, Transcriber, TranscriptionError

LONGEST_SECONDS: Final = 120
"""A transcription ends by then: the second function's timeout is 60 s, unless it is set higher."""


class Dictation:
    """Transcribes recordings. Each counts as one message, and as an answer while it is transcribed;
    one that cannot be transcribed counts as a request alone.
    """

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
        async with self.counted(context):
            return await self.words_in(data, claimed, context)

    @asynccontextmanager
    async def counted(self, context: RequestContext) -> AsyncIterator[None]:
        """Count one transcription, or a request alone when it fails. Raises `OverLimit`."""
        most = Use(messages=1, answers=1, requests=1)
        until = time.time() + LONGEST_SECONDS
        reservation = await self._limits.reserve(context, most, until=until)
        used = Use(requests=1)
        try:
            yield
            used = Use(messages=1, requests=1)
        finally:
            await reservation.settle(used)

    async def words_in(self, data: bytes, claimed: str | None, context: RequestContext) -> str:
        """Like `transcribe`, for a recording that is `counted` already."""
        self._transcriber.check(data, claimed)
        return await self._transcriber.transcribe(data, claimed, context.locale)
