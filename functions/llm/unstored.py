"""A model whose provider is asked not to keep what it is sent.

The Responses API stores each request unless `store` is false. A reasoning model then needs its
earlier reasoning sent back in encrypted form, and gives that when `include` asks for it. Some
endpoints refuse one of the two, and OpenAI refuses the second for models that do not reason.
"""

import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import openai
from agents import Model, ModelResponse, ModelSettings
from agents.items import TResponseStreamEvent

from .wrapped import WrappedModel

logger = logging.getLogger(__name__)

ENCRYPTED_REASONING: Final = "reasoning.encrypted_content"
STATUSES: Final = frozenset({400, 422})
_REFUSALS: Final = {
    "store": re.compile(r"\bstore\b", re.IGNORECASE),
    "include": re.compile(r"\binclude\b|\bencrypted\b", re.IGNORECASE),
}

_refused: defaultdict[tuple[str | None, str], set[str]] = defaultdict(set)
"""What each endpoint has refused for each model, as long as this process lives."""


class UnstoredModel(WrappedModel):
    """Wraps the model `name` at `base_url`. A request that is refused for `store` or `include` is
    sent again without it, and so are all later requests to that model.

    `carries_reasoning` tells whether its API takes encrypted reasoning. What an agent's own
    settings say stays as it is.
    """

    def __init__(
        self, model: Model, base_url: str | None, name: str, *, carries_reasoning: bool
    ) -> None:
        super().__init__(model)
        self._sent = {"store", "include"} if carries_reasoning else {"store"}
        self._refused = _refused[base_url, name]

    async def get_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        while True:
            sent = self._sent - self._refused
            settings = _unstored(model_settings, sent)
            try:
                return await self._model.get_response(
                    system_instructions, input, settings, *args, **kwargs
                )
            except openai.APIStatusError as error:
                if not self._remember(error, sent):
                    raise

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        started = False
        while True:
            sent = self._sent - self._refused
            settings = _unstored(model_settings, sent)
            try:
                async for event in self._model.stream_response(
                    system_instructions, input, settings, *args, **kwargs
                ):
                    started = True
                    yield event
            except openai.APIStatusError as error:
                if started or not self._remember(error, sent):
                    raise
            else:
                return

    def _remember(self, error: openai.APIStatusError, sent: set[str]) -> bool:
        """Remember what `error` refuses. Returns whether this request had `sent` any of it.

        Another request may have been refused meanwhile.
        """
        if error.status_code not in STATUSES:
            return False
        words = f"{error.message} {error.body}"
        refused = {name for name in sent if _REFUSALS[name].search(words)}
        for name in sorted(refused - self._refused):
            logger.warning("the model's endpoint refuses %s: requests go without it", name)
        self._refused |= refused
        return bool(refused)


def _unstored(settings: ModelSettings, sent: set[str]) -> ModelSettings:
    if "store" in sent and settings.store is None:
        settings = replace(settings, store=False)
    if "include" in sent and settings.store is not True:
        include = [*(settings.response_include or []), ENCRYPTED_REASONING]
        settings = replace(settings, response_include=include)
    return settings
