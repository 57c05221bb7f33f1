"""`make budget`: what today's answers have cost, and more dollars for today.

Nothing is deployed: each answer reserves from the row of the table that is changed here.
"""

import asyncio
import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.limits.budget import Budget, BudgetChanged, BudgetDay
from functions.settings import Settings
from functions.store.table import Table
from infra.cli.account import Account
from infra.cli.make_dev import local_client, port_of_make_dev, variables_of_make_dev


class BudgetError(Exception):
    """Why there is no budget to show or to change, in one line for whoever typed the command."""


@dataclass(frozen=True)
class Place:
    """A budget, and how people call what it is for."""

    name: str
    budget: Budget


def of_stage(stage: str, outputs: dict[str, str], account: Account) -> Place:
    """The budget that a stage was deployed with. `outputs` are those of its stack.

    Raises `BudgetError`, and `AccountError` without a region.
    """
    if "DailyBudget" not in outputs:
        raise BudgetError(
            f"The stage {stage} has no budget: deploy it with -c dailyBudget=20, for example."
        )
    table = Table(outputs["TableName"], account.client("dynamodb"))
    dollars, shards = float(outputs["DailyBudget"]), int(outputs["BudgetRows"])
    return Place(f"The stage {stage}", Budget(table, dollars, shards))


def of_make_dev() -> Place:
    """The budget of the `make dev` that is running on `PORT`. Raises `BudgetError`."""
    port, variables = port_of_make_dev(), variables_of_make_dev()
    if not variables:
        raise BudgetError(
            f"No make dev is running on port {port}. For a stage: make budget STAGE=prod"
        )
    try:
        limits = Settings().limit_table
    except ValueError:
        raise BudgetError("CHATKIT_LIMITS cannot be read: make dev says why.") from None
    dollars = limits.stage.dollars_per_day
    if dollars is None:
        raise BudgetError(
            "make dev has no budget: put one into .env, "
            """such as CHATKIT_LIMITS='{"stage": {"dollars_per_day": 5}}', and CHATKIT_PRICES."""
        )
    table = Table(str(variables["CHATKIT_TABLE"]), local_client("dynamodb", variables))
    return Place(f"make dev on port {port}", Budget(table, dollars, limits.stage_shards))


def change(place: Place, typed: str | None, *, sure: bool) -> None:
    """Show the budget of today and, when dollars are `typed`, allow so many more for today.

    Asks for a yes on standard input unless the person is `sure`. Raises `BudgetError`.
    """
    dollars = None if typed is None else _dollars(typed)
    day = asyncio.run(place.budget.today())
    _say(f"{place.name}, today until {datetime.fromtimestamp(day.end, UTC):%Y-%m-%d %H:%M} UTC:")
    _say(_table(day))
    if dollars is None:
        return
    if not sure:
        sys.stdout.write(f"Allow ${dollars:,.2f} more for today? Type yes: ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() != "yes":
            raise BudgetError("Nothing is changed.")
    try:
        asyncio.run(place.budget.allow(day, dollars))
    except BudgetChanged:
        raise BudgetError(
            "Meanwhile somebody else has allowed more, or the day has ended, or a request was "
            "repeated. Look at what is allowed now: make budget without DOLLARS."
        ) from None
    day = asyncio.run(place.budget.today())
    _say(f"${dollars:,.2f} more are allowed for today. Left now: ${day.left:,.2f}.")


def _table(day: BudgetDay) -> str:
    rows = {
        "limit of a day": day.limit,
        "allowed besides": day.allowed,
        "cost so far": day.cost,
        "held for answers that are being written": day.held,
        "left": day.left,
    }
    return "\n".join(f"  {what:<41}${amount:>12,.4f}" for what, amount in rows.items())


def _dollars(typed: str) -> float:
    try:
        dollars = float(typed.removeprefix("$"))
    except ValueError:
        dollars = math.nan
    if not 0 < dollars < math.inf:
        raise BudgetError(f"DOLLARS={typed} is not a number of dollars, such as 20.")
    return dollars


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
