"""The limits of a stage by default. `docs/limits.md` has their reasons."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from functions.errors import first_problem
from functions.limit_table import LimitTable, Price, ScopeLimits

if TYPE_CHECKING:
    from infra.stack.settings import StackSettings

MB: Final = 1_000_000

DEFAULTS: Final[dict[str, dict[str, float]]] = {
    "person": {
        "messages_per_minute": 10,
        "messages_per_day": 200,
        "input_tokens_per_day": 2_000_000,
        "output_tokens_per_day": 400_000,
        "answers_at_once": 3,
        "upload_bytes_per_day": 200 * MB,
        "requests_per_minute": 120,
    },
    "tenant": {},
    "network": {
        "messages_per_minute": 60,
        "messages_per_day": 1_000,
        "input_tokens_per_day": 10_000_000,
        "output_tokens_per_day": 2_000_000,
        "answers_at_once": 10,
        "upload_bytes_per_day": 1_000 * MB,
        "requests_per_minute": 600,
    },
    "stage": {
        "messages_per_day": 2_000,
        "input_tokens_per_day": 20_000_000,
        "output_tokens_per_day": 4_000_000,
        "upload_bytes_per_day": 10_000 * MB,
    },
}
"""Scope, measure, limit. `answers_at_once` of the stage follows from the function's concurrency."""

QUICK_SHARE: Final = 0.2
"""The share of the streaming function's concurrency that no answer takes, so that the list of
conversations and a reload do not wait for streams. Two at least, where there are three: one may be
a cold start."""

SMALL_ACCOUNT: Final = 10
"""The concurrency of a new account, which can reserve none:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def answers_at_once(concurrency: int) -> int:
    """The answers that a stage streams at one time. `concurrency` is 0 where none is reserved."""
    concurrency = concurrency or SMALL_ACCOUNT
    return max(1, concurrency - max(2, round(concurrency * QUICK_SHARE)))


def limit_table(
    changes: Mapping[str, Any],
    *,
    concurrency: int,
    messages_per_minute: int,
    messages_per_day: int,
) -> LimitTable:
    """The defaults with `changes`, in which `null` turns a limit off.

    `messages_per_minute` of a person and `messages_per_day` of the stage have settings of their
    own, in which 0 turns the limit off. Raises `ValueError` for what is no limit.
    """
    table: dict[str, Any] = {scope: dict(limits) for scope, limits in DEFAULTS.items()}
    table["person"]["messages_per_minute"] = messages_per_minute or None
    table["stage"]["messages_per_day"] = messages_per_day or None
    table["stage"]["answers_at_once"] = answers_at_once(concurrency)
    for name, change in changes.items():
        if name in DEFAULTS and isinstance(change, Mapping):
            table[name] |= change
        else:
            table[name] = change
    return LimitTable.model_validate(table)


def limit_contradiction(settings: "StackSettings") -> str | None:
    """What is wrong with the limits of a stage, in a line that names the settings."""
    try:
        table = settings.limit_table
    except ValidationError as error:
        return f"limits: {first_problem(error.errors())}"
    if table.tenant != ScopeLimits() and settings.oidc_tenant_claim is None:
        return "limits of a tenant need oidcTenantClaim"
    if table.roles and settings.oidc_roles_claim is None:
        return "limits of roles need oidcRolesClaim"
    return _wrong_budget(settings, table)


def _wrong_budget(settings: "StackSettings", table: LimitTable) -> str | None:
    """Why a budget would stop no answer, or all of them."""
    budget = table.stage.dollars_per_day
    typed = settings.limits.get("stage") or {}
    if settings.daily_budget is not None and "dollars_per_day" in typed:
        return "dailyBudget and dollars_per_day in limits.stage exclude each other"
    if budget is None:
        return None
    prices = {name: Price.model_validate(price) for name, price in settings.model_prices.items()}
    free = [name for name, price in prices.items() if not (price.input or price.output)]
    if free:
        return f"dailyBudget needs prices, and that of {', '.join(free)} is 0"
    share = budget * (1 - table.kept_share) / table.stage_shards
    for name, price in prices.items():
        cost = price.output * settings.longest_answer / 1_000_000
        if cost > share:
            return (
                f"dailyBudget would stop every answer of {name}: ${cost:,.2f} are reserved "
                f"for one (answerTokens), and newcomers have ${share:,.2f} a day in each row "
                "(kept_share, stage_shards)"
            )
    return None
