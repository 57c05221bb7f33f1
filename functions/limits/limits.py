"""Who is counted for a request, and against which limits."""

import random
import time
from typing import Any

from ..aws.keys import owner, part
from ..context import RequestContext
from ..limit_table import SCOPES, LimitTable
from ..store import keys
from ..store.counters import Counters
from ..store.table import Table
from .measures import MEASURES, MICRO, Use, limits_of
from .reservation import Reservation, Scope

SHARDS_TRIED = 3
"""Shards of the stage that a request tries before it is refused, one after the other."""

_DAILY = [name for name, measure in MEASURES.items() if measure.is_daily]


class Limits:
    """Counts what people use, and refuses what is over a limit.

    A person's counters are in `table`, and those of tenants, networks and the stage in `shared`:
    the same table, reached without a person's session (see `functions.aws.owner_sessions`).
    """

    def __init__(self, limits: LimitTable, table: Table, shared: Table | None = None) -> None:
        self._limits = limits
        self._table = table
        self._shared = shared or table

    @property
    def count_networks(self) -> bool:
        return not self._limits.network.is_off()

    @property
    def count_tokens(self) -> bool:
        return self.has("input_tokens_per_day", "output_tokens_per_day", "dollars_per_day")

    def has(self, *measures: str) -> bool:
        """Whether one of these is limited for anybody."""
        scopes = [getattr(self._limits, scope) for scope in SCOPES]
        return any(getattr(scope, name) is not None for scope in scopes for name in measures)

    async def reserve(
        self,
        context: RequestContext,
        use: Use,
        *,
        until: float | None = None,
        known: bool = True,
    ) -> Reservation:
        """Count what a request may use. Raises `OverLimit` when it is too much for somebody.

        With `until` (Unix seconds) it is held until it is settled, or given back after that. A
        visitor who is not `known` has no counters yet, but their network has.
        """
        reservation = Reservation(self._scopes(context, known=known), until=until)
        await reservation.add(use)
        return reservation

    async def spend(self, context: RequestContext, use: Use, *, known: bool = True) -> None:
        """Count what a request uses. Raises `OverLimit` when it is too much for somebody."""
        await (await self.reserve(context, use, known=known)).settle(use)

    async def used(self, context: RequestContext) -> list[dict[str, Any]]:
        """A person's limits and what they have used, for the page. One read, none without limits.

        Dollars are dollars here. `resets_at` is in Unix seconds, `null` for what is in use now.
        """
        person = self._person(context)
        if not person.limits:
            return []
        numbers, now = await person.rows[0].read(), time.time()
        found = []
        for name, limit in person.limits.items():
            end = MEASURES[name].end(now)
            used = max(0, numbers.get(f"{name}:{end}", 0))
            unit = MICRO if name == "dollars_per_day" else 1
            found.append(
                {
                    "limit": name,
                    "used": _in_units(used, unit),
                    "of": _in_units(limit, unit),
                    "resets_at": end or None,
                }
            )
        return found

    def _scopes(self, context: RequestContext, *, known: bool) -> list[Scope]:
        scopes = [self._person(context)] if known else []
        if context.tenant is not None:
            row = Counters(self._shared, keys.shared_counters_key("tenant", part(context.tenant)))
            scopes.append(Scope("tenant", [row], limits_of(self._limits.tenant, {})))
        if context.network is not None:
            row = Counters(self._shared, keys.shared_counters_key("network", context.network))
            scopes.append(Scope("network", [row], limits_of(self._limits.network, {})))
        scopes.append(self._stage(context))
        return [scope for scope in scopes if scope.limits]

    def _person(self, context: RequestContext) -> Scope:
        table = self._limits
        roles = [table.roles[role] for role in context.roles if role in table.roles]
        factors = dict.fromkeys(MEASURES, max(roles, default=1.0))
        if context.newcomer:
            factors |= dict.fromkeys(_DAILY, table.newcomers)
        row = Counters(self._table, keys.counters_key(owner(context)))
        return Scope("person", [row], limits_of(table.person, factors))

    def _stage(self, context: RequestContext) -> Scope:
        table = self._limits
        factors = dict.fromkeys(MEASURES, 1 / table.stage_shards)
        if context.newcomer:
            share = (1 - table.kept_share) / table.stage_shards
            factors |= dict.fromkeys([*_DAILY, "answers_at_once"], share)
        shards = stage_rows(self._shared, table.stage_shards)
        tried = random.sample(shards, min(SHARDS_TRIED, len(shards)))
        limits = limits_of(table.stage, factors)
        shares = context.newcomer and table.kept_share > 0
        return Scope("stage", tried, limits, newcomer=shares)


def _in_units(number: int, unit: int) -> float:
    return number if unit == 1 else number / unit  # a count stays a whole number


def stage_rows(table: Table, shards: int) -> list[Counters]:
    """The rows that count for the whole stage."""
    return [
        Counters(table, keys.shared_counters_key("stage", str(shard))) for shard in range(shards)
    ]
