"""The list of models that a visitor may pick from, as the setting `CHATKIT_MODELS` gives it.

It is text with commas, such as `gpt-5, o3 (staff admin)`, or JSON, in which each model may have a
provider of its own: `[{"id": "claude", "label": "Claude", "provider": "bedrock", "model": "…"}]`.
"""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

Provider = Literal["openai", "gemini", "bedrock", "azure", "compatible"]

ModelApi = Literal["responses", "chat_completions"]
"""The one of OpenAI's APIs that a model is called with."""

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]

_AS_TEXT = re.compile(r"(?P<id>[^()]*[^()\s])(?: \((?P<roles>[^()\s]+(?: [^()\s]+)*)\))?")
"""A model, and the roles of which a visitor needs one to pick it."""


class ModelOption(BaseModel):
    """One model of the list. Without a `provider` it is one of the default provider's models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    """What the picker sends and what prices and logs call the model."""
    label: str | None = Field(None, min_length=1)
    """What the picker shows; the id when unset."""
    provider: Provider | None = None
    model: str | None = Field(None, min_length=1)
    """What the provider calls the model; the id when unset."""
    api: ModelApi | None = None
    reasoning_effort: ReasoningEffort | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    roles: tuple[str, ...] = ()
    """The roles of which a visitor needs one to pick the model. Without any it is for everybody."""


def _options(value: object) -> object:
    if isinstance(value, str):
        value = _json(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list | tuple):
        return value
    texts = [entry.strip() if isinstance(entry, str) else entry for entry in value]
    return [_option(entry) if isinstance(entry, str) else entry for entry in texts if entry != ""]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("this is not JSON") from None


def _option(text: str) -> ModelOption:
    entry = _AS_TEXT.fullmatch(text)
    if entry is None:
        raise ValueError(f"{text!r} is not a model such as gpt-5, or with roles: gpt-5 (staff)")
    return ModelOption(id=entry["id"], roles=tuple((entry["roles"] or "").split()))


Models = Annotated[list[ModelOption], NoDecode, BeforeValidator(_options)]
"""The list, from text, from JSON, or from a list of both."""


def as_json(models: Sequence[ModelOption]) -> str | None:
    """The list as the setting takes it; `None` when it is empty."""
    given: list[dict[str, Any]] = [
        model.model_dump(mode="json", exclude_defaults=True) for model in models
    ]
    return json.dumps(given, ensure_ascii=False) if given else None
