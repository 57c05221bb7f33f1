"""More dollars for a day: at once, once each time, in every row, and gone with the day."""

import asyncio
import logging
from types import SimpleNamespace

import pytest

from functions.context import RequestContext
from functions.limit_table import LimitTable, Price
from functions.limits import Limits, OverLimit, Use, budget, limits, measures, reservation
from functions.limits.answer_use import AnswerUse
from functions.limits.budget import Budget, BudgetChanged, log_if_budget
from functions.store import counters, keys
from functions.store.counters import Counters
from functions.store.table import Table

NOON = 1_790_000_000.0
DOLLAR = Use(microdollars=1_000_000)


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=NOON)
    for module in (budget, counters, limits, measures, reservation):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


@pytest.fixture
def table(backend):
    return Table(backend.table, client=backend.dynamodb)


@pytest.fixture
def staged(table, clock):
    """`staged(dollars, shards)`: the limits of a stage, and its budget."""

    def make(dollars, shards=1):
        stage = {"dollars_per_day": dollars}
        given = LimitTable.model_validate({"stage": stage, "stage_shards": shards})
        return Limits(given, table), Budget(table, dollars, shards)

    return make


async def spent(limiting, ada, dollars):
    for _ in range(dollars):
        await limiting.spend(ada, DOLLAR)


def summary(day):
    return {"allowed": day.allowed, "cost": day.cost, "held": day.held, "left": day.left}


async def test_what_is_allowed_lifts_a_used_up_budget_at_once_and_each_time_anew(staged, ada):
    limiting, stage = staged(2)
    await spent(limiting, ada, 2)
    for times in (1, 2):
        with pytest.raises(OverLimit, match="budget"):
            await limiting.spend(ada, DOLLAR)
        await stage.allow(await stage.today(), 3)
        await spent(limiting, ada, 3)
        day = await stage.today()
        cost = 2 + 3 * times
        assert summary(day) == {"allowed": 3 * times, "cost": cost, "held": 0, "left": 0}
    assert day.limit == 2


async def test_what_is_held_is_told_apart_from_what_was_spent(staged, ada, clock):
    limiting, stage = staged(10)
    await spent(limiting, ada, 1)
    running = await limiting.reserve(ada, Use(microdollars=4_000_000), until=clock.now + 60)
    await limiting.reserve(ada, Use(microdollars=2_000_000), until=clock.now + 60)  # and a crash
    await stage.allow(await stage.today(), 5)
    assert summary(await stage.today()) == {"allowed": 5, "cost": 1, "held": 6, "left": 8}
    await running.settle(Use(microdollars=500_000))
    assert summary(await stage.today()) == {"allowed": 5, "cost": 1.5, "held": 2, "left": 11.5}
    clock.now += 60 + counters.HOLD_SECONDS + counters.LATE_SECONDS
    assert summary(await stage.today()) == {"allowed": 5, "cost": 1.5, "held": 0, "left": 13.5}


async def test_each_row_gets_its_part_to_the_last_millionth(staged, ada, table):
    limiting, stage = staged(6, 3)
    await spent(limiting, ada, 6)
    with pytest.raises(OverLimit):
        await limiting.spend(ada, DOLLAR)
    await stage.allow(await stage.today(), 4)
    assert (await stage.today()).allowed == 4
    await spent(limiting, ada, 3)
    parts = [
        (await Counters(table, keys.shared_counters_key("stage", str(shard))).read())[
            counters.allowed_name(f"dollars_per_day:{counters.window_end(86_400, NOON)}")
        ]
        for shard in range(3)
    ]
    assert parts == [1_333_334, 1_333_333, 1_333_333]


async def test_of_two_who_allow_more_at_once_only_one_does(staged):
    for shards in (1, 3):
        _, stage = staged(6, shards)
        before = (await stage.today()).allowed
        day = await stage.today()
        done = await asyncio.gather(
            *(stage.allow(day, 6) for _ in range(5)), return_exceptions=True
        )
        assert [type(error) for error in done if error] == [BudgetChanged] * 4
        assert (await stage.today()).allowed == before + 6


async def test_a_write_that_is_repeated_after_a_lost_answer_counts_once(staged, table, monkeypatch):
    """As botocore repeats it: the same request again."""
    _, stage = staged(6)
    update = Table.update

    async def twice(self, *given, **more):
        await update(self, *given, **more)
        return await update(self, *given, **more)

    day = await stage.today()
    with monkeypatch.context() as patch:
        patch.setattr(Table, "update", twice)
        with pytest.raises(BudgetChanged):
            await stage.allow(day, 5)
    assert (await stage.today()).allowed == 5


async def test_what_was_allowed_ends_with_the_day_and_is_removed_from_the_row(
    staged, ada, clock, table
):
    limiting, stage = staged(2)
    await spent(limiting, ada, 2)
    day = await stage.today()
    await stage.allow(day, 3)
    day = await stage.today()
    clock.now = day.end
    with pytest.raises(BudgetChanged):
        await stage.allow(day, 3)
    assert summary(await stage.today()) == {"allowed": 0, "cost": 0, "held": 0, "left": 2}
    await spent(limiting, ada, 2)
    with pytest.raises(OverLimit):
        await limiting.spend(ada, DOLLAR)
    clock.now += counters.OLD_SECONDS + 1
    row = Counters(table, keys.shared_counters_key("stage", "0"))
    await row.tidy(await row.read())
    assert set(await row.read()) == {f"dollars_per_day:{day.end + 86_400}"}


async def test_what_a_row_has_been_allowed_is_never_given_back_as_a_hold(staged, ada, clock):
    limiting, stage = staged(2)
    await limiting.reserve(ada, Use(microdollars=2_000_000), until=clock.now + 60)  # and a crash
    await stage.allow(await stage.today(), 1)
    clock.now += 60 + counters.HOLD_SECONDS + counters.LATE_SECONDS
    await spent(limiting, ada, 3)  # the first of them gives the hold back
    assert summary(await stage.today()) == {"allowed": 1, "cost": 3, "held": 0, "left": 0}


async def test_a_call_of_a_running_answer_over_the_budget_is_logged_and_a_persons_limit_is_not(
    staged, ada, clock, table, caplog
):
    price = Price(input=1.0, output=10.0)
    limiting, _ = staged(1)
    reserved = Use(microdollars=500_000)
    use = AnswerUse(await limiting.reserve(ada, reserved, until=clock.now + 60), reserved, price)
    use.end_call(await use.begin_call(100_000, 40_000), 100_000, 40_000)
    with caplog.at_level(logging.ERROR), pytest.raises(OverLimit):
        await use.begin_call(100_000, 60_000)
    assert [record.budget_refusals for record in caplog.records] == [1]
    caplog.clear()
    own = Limits(LimitTable.model_validate({"person": {"dollars_per_day": 1}}), table)
    use = AnswerUse(await own.reserve(ada, reserved, until=clock.now + 60), reserved, price)
    with caplog.at_level(logging.INFO), pytest.raises(OverLimit):
        await use.begin_call(100_000, 100_000)
    assert caplog.records == []


async def test_what_is_refused_because_others_hold_the_rest_is_not_logged_as_used_up(staged, ada):
    limiting, _ = staged(2)
    await limiting.reserve(ada, Use(microdollars=1_500_000), until=NOON + 60)
    with pytest.raises(OverLimit, match="try again soon") as refused:
        await limiting.spend(ada, DOLLAR)
    assert refused.value.why == "held"


@pytest.mark.parametrize(
    ("why", "logged"), [("used", 1), ("newcomers", 1), ("too large", 1), ("held", 0)]
)
def test_only_a_refusal_that_waiting_does_not_end_is_counted(caplog, why, logged):
    with caplog.at_level(logging.ERROR):
        log_if_budget(OverLimit("stage", measures.MEASURES["dollars_per_day"], 0, why))
        log_if_budget(OverLimit("stage", measures.MEASURES["messages_per_day"], 0, why))
    assert len(caplog.records) == logged


async def test_newcomers_are_told_of_their_share_only_where_they_have_one(table, clock):
    eve = RequestContext(user_id="eve", newcomer=True)
    for kept, words in ((0.5, "New visitors have used up their share"), (0, "used up its budget")):
        given = {"stage": {"dollars_per_day": 2}, "kept_share": kept}
        limiting = Limits(LimitTable.model_validate(given), table)
        with pytest.raises(OverLimit, match=words):
            await spent(limiting, eve, 3)
