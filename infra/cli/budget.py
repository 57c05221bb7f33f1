"""`make budget`: what today's answers have cost, and more dollars for today.

Nothing is deployed: each answer reserves from the row of the table that is changed here.
"""

import asyncio
import math
from datetime import UTC, datetime

from functions.limits.budget import Budget, BudgetChanged, BudgetDay
from functions.settings import Settings
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.terminal import confirm, say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    deployment = Deployment.of(settings, account, "make budget STAGE=prod")
    change(deployment, typed.option("--dollars"), sure=typed.sure)


def budget_of(deployment: Deployment) -> Budget:
    """The budget that it was deployed with. Raises `CommandError` when it has none."""
    outputs = deployment.outputs
    if deployment.stage is None:
        try:
            limits = Settings().limit_table
        except ValueError:
            raise CommandError("CHATKIT_LIMITS cannot be read: make dev says why.") from None
        dollars, shards = limits.stage.dollars_per_day, limits.stage_shards
        if dollars is None:
            raise CommandError(
                "make dev has no budget: put one into .env, such as "
                """CHATKIT_LIMITS='{"stage": {"dollars_per_day": 5}}', and CHATKIT_PRICES."""
            )
    elif "DailyBudget" not in outputs:
        raise CommandError(
            f"{deployment.title} has no budget: deploy it with -c dailyBudget=20, for example."
        )
    else:
        dollars, shards = float(outputs["DailyBudget"]), int(outputs["BudgetRows"])
    return Budget(deployment.table, dollars, shards)


def change(deployment: Deployment, typed: str | None, *, sure: bool) -> None:
    """Show the budget of today and, when dollars are `typed`, allow so many more for today.

    Asks for a yes on standard input unless the person is `sure`. Raises `CommandError`.
    """
    budget = budget_of(deployment)
    dollars = None if typed is None else _dollars(typed)
    day = asyncio.run(budget.today())
    end = datetime.fromtimestamp(day.end, UTC)
    say(f"{deployment.title}, today until {end:%Y-%m-%d %H:%M} UTC:")
    say(_table(day))
    if dollars is None:
        return
    confirm(f"Allow ${dollars:,.2f} more for today?", sure=sure)
    try:
        asyncio.run(budget.allow(day, dollars))
    except BudgetChanged:
        raise CommandError(
            "Meanwhile somebody else has allowed more, or the day has ended, or a request was "
            "repeated. Look at what is allowed now: make budget without DOLLARS."
        ) from None
    day = asyncio.run(budget.today())
    say(f"${dollars:,.2f} more are allowed for today. Left now: ${day.left:,.2f}.")


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
        raise CommandError(f"DOLLARS={typed} is not a number of dollars, such as 20.")
    return dollars
