"""The table of limits: what a person, a tenant, a network and the whole stage may use.

The setting `CHATKIT_LIMITS` is this table as JSON: `{"person": {"messages_per_day": 50}}`. A limit
that is not set is off. `docs/limits.md` has the stack's defaults and their reasons.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int | None, Field(ge=1)]
Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]

SCOPES = ("person", "tenant", "network", "stage")


class ScopeLimits(BaseModel):
    """What one person, one tenant, one network or the stage may use. Days are those of UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages_per_minute: Count = None
    messages_per_day: Count = None
    input_tokens_per_day: Count = None
    output_tokens_per_day: Count = None
    answers_at_once: Count = None
    """Answers that are streamed at one time, repeated ones included."""
    upload_bytes_per_day: Count = None
    requests_per_minute: Count = None
    """Requests that change something and are no message (upload links, Stop, feedback, …), and
    cited passages that are opened."""
    dollars_per_day: float | None = Field(None, gt=0, allow_inf_nan=False)
    """What the models may cost. It needs a price for each model (`CHATKIT_PRICES`)."""

    def is_off(self) -> bool:
        return all(limit is None for _, limit in self)


class LimitTable(BaseModel):
    """The limits of each scope."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: ScopeLimits = ScopeLimits()
    tenant: ScopeLimits = ScopeLimits()
    """For all people of one organisation together, where a claim names it."""
    network: ScopeLimits = ScopeLimits()
    """For all people together whose addresses are in one /24 (IPv4) or /64 (IPv6)."""
    stage: ScopeLimits = ScopeLimits()
    """For everybody together."""

    roles: dict[str, Factor] = Field(default_factory=dict)
    """By how much the limits of a person with this role are multiplied."""
    newcomers: Annotated[float, Field(gt=0, le=1)] = 0.5
    """By how much the limits of a day are multiplied for an anonymous person on their first day."""
    kept_share: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """The share of the stage's day that newcomers cannot use up."""
    stage_shards: Annotated[int, Field(ge=1, le=50)] = 1
    """Rows on which the stage's counters are spread. One row takes some 500 messages a second."""

    @model_validator(mode="after")
    def _shards_can_be_filled(self) -> Self:
        if self.stage_shards == 1:
            return self
        least = self.stage_shards / (1 - self.kept_share)
        for name, limit in self.stage.model_dump(exclude={"dollars_per_day"}).items():
            if limit is not None and limit < least:
                raise ValueError(f"stage.{name} is too small for so many stage_shards")
        return self


class Price(BaseModel):
    """What a model costs, in dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False)
    """For input that the provider has kept from an earlier request; `input` when unset."""

    def microdollars(self, input_tokens: int, output_tokens: int, cached: int = 0) -> int:
        """What a call costs, in millionths of a dollar. `cached` is a part of the input."""
        kept = self.input if self.cached_input is None else self.cached_input
        # A price for a million tokens in dollars is the price of one token in millionths.
        cost = (input_tokens - cached) * self.input + cached * kept + output_tokens * self.output
        return max(0, round(cost))
