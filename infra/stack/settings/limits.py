"""How much people may ask, and what the answers may cost."""

from typing import Any

from pydantic import Field, ValidationError, field_validator

from functions.errors import first_problem
from functions.limit_table import Price
from infra.stack.settings.group import JsonObject, SettingsGroup


class LimitSettings(SettingsGroup):
    limits: JsonObject = Field(
        default_factory=dict,
        description="Limits other than the defaults of docs/limits.md, as JSON: "
        '`{"person": {"messages_per_day": 50}}`. `null` turns one off.',
    )
    prices: JsonObject = Field(
        default_factory=dict,
        description="What models cost in dollars for a million tokens, as JSON: "
        '`{"gpt-5-mini": {"input": 0.25, "cached_input": 0.025, "output": 2}}`. For a model that '
        "is not named, `inputTokenPrice` and `outputTokenPrice` count.",
    )
    daily_budget: float | None = Field(
        None,
        gt=0,
        description="Dollars that the models may cost in a day (UTC). Then answers stop, an alarm "
        "goes off, and everything else goes on, until the day ends or `make budget` allows more.",
    )
    answer_tokens: int | None = Field(
        None,
        ge=0,
        description="Tokens that a model may write in one call at most, its reasoning included. "
        "So many are reserved for each answer until it has ended. 0: the model's own limit. By "
        "default 8192, and with `provider=compatible` the model's own: not every server takes it.",
    )
    messages_per_minute: int = Field(
        10, ge=0, description="Messages that one person may send in a minute. 0: no limit."
    )
    messages_per_day: int = Field(
        2000,
        ge=0,
        description="Messages that everybody together may send in a day (UTC). 0: no limit.",
    )

    @field_validator("prices")
    @classmethod
    def _prices(cls, prices: dict[str, Any]) -> dict[str, Any]:
        for model, price in prices.items():
            try:
                Price.model_validate(price)
            except ValidationError as error:
                raise ValueError(f"{model}: {first_problem(error.errors())}") from None
        return prices
