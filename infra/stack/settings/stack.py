"""All settings of one stage, and what has to fit together across their subjects.

`infra.stack.context` reads them. The table in `docs/deploy.md` is made from them.
"""

from typing import Any, Self

from pydantic import model_validator

from functions.limit_table import LimitTable
from infra.stack.contradictions import contradiction
from infra.stack.embedding import index_of
from infra.stack.limits import limit_contradiction, limit_table
from infra.stack.models import chosen
from infra.stack.settings.assistant import AssistantSettings
from infra.stack.settings.files import FileSettings
from infra.stack.settings.functions import FunctionSettings
from infra.stack.settings.knowledge import KnowledgeSettings
from infra.stack.settings.limits import LimitSettings
from infra.stack.settings.model import ModelSettings
from infra.stack.settings.page import PageQuerySettings, PageSettings
from infra.stack.settings.protection import ProtectionSettings
from infra.stack.settings.sign_in import CookieSettings, SignInSettings
from infra.stack.settings.stage import StageSettings
from infra.stack.settings.voice import VoiceSettings
from infra.stack.settings.watching import TraceSettings, WatchingSettings

ANSWER_TOKENS = 8192
"""Some twelve pages, or an answer of two pages that a model has thought about."""


class StackSettings(
    WatchingSettings,
    ProtectionSettings,
    PageSettings,
    LimitSettings,
    FunctionSettings,
    KnowledgeSettings,
    FileSettings,
    SignInSettings,
    PageQuerySettings,
    TraceSettings,
    CookieSettings,
    VoiceSettings,
    ModelSettings,
    AssistantSettings,
    StageSettings,
):
    """What one stage is made of.

    Pydantic begins with the fields of the last class, so these are in the reverse order of the
    table in `docs/deploy.md`.
    """

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if found := contradiction(self):
            raise ValueError(found)
        chosen(self)  # raises what the functions would
        if self.knowledge:
            index_of(self)
        if found := limit_contradiction(self):
            raise ValueError(found)
        return self

    @property
    def limit_table(self) -> LimitTable:
        """The limits of the functions. Raises `ValueError` for what is no limit."""
        changes = dict(self.limits)
        if self.daily_budget is not None:
            stage = changes.get("stage") or {}
            if isinstance(stage, dict):
                changes["stage"] = {"dollars_per_day": self.daily_budget, **stage}
        return limit_table(
            changes,
            concurrency=self.chat_concurrency,
            messages_per_minute=self.messages_per_minute,
            messages_per_day=self.messages_per_day,
        )

    @property
    def longest_answer(self) -> int:
        """The tokens that a model may write in one call; 0 for its own limit."""
        if self.answer_tokens is not None:
            return self.answer_tokens
        return 0 if self.provider == "compatible" else ANSWER_TOKENS

    @property
    def model_prices(self) -> dict[str, Any]:
        """The price of each model that may answer."""
        other = {"input": self.input_token_price, "output": self.output_token_price}
        return {name: self.prices.get(name, other) for name in chosen(self).every_name}

    @property
    def transcribes(self) -> bool:
        """Whether speech is turned into text."""
        if self.voice is not None:
            return self.voice
        return self.transcription_base_url is not None or self.provider in {"openai", "gemini"}

    @property
    def gemini_transcribes(self) -> bool:
        """Whether Gemini transcribes: it does not accept the formats that browsers record."""
        own_server = self.transcription_base_url is not None
        return self.transcribes and self.provider == "gemini" and not own_server

    @property
    def needs_edge(self) -> bool:
        """Whether a stack of its own in us-east-1 is needed."""
        return self.waf or self.makes_certificate or self.edge_alarms
