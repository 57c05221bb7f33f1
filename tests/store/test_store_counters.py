"""A row of counters: all counts or none, holds that end by time, and no row that grows."""

import asyncio
from types import SimpleNamespace

import pytest

from functions.store import counters as module
from functions.store import keys
from functions.store.counters import Count, Counters, LimitReached, window_end
from functions.store.table import Table

NOON = 1_790_000_000.0
END = window_end(86_400, NOON)
MESSAGES, TOKENS = f"messages_per_day:{END}", f"output_tokens_per_day:{END}"


@pytest.fixture
def clock(monkeypatch):
    """The time that the counters know; tests turn it."""
    clock = SimpleNamespace(now=NOON)
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


@pytest.fixture
def row(backend, clock):
    return Counters(Table(backend.table, backend.dynamodb), keys.counters_key("ada"))


async def test_a_count_passes_up_to_its_limit_and_then_nothing_of_the_write_is_counted(row):
    for _ in range(3):
        await row.add([Count(MESSAGES, 1, 3), Count(TOKENS, 10, 100)])
    with pytest.raises(LimitReached) as reached:
        await row.add([Count(TOKENS, 10, 100), Count(MESSAGES, 1, 3)])
    assert reached.value.count.name == MESSAGES
    assert await row.read() == {MESSAGES: 3, TOKENS: 30}


async def test_what_is_over_a_limit_by_itself_is_refused_without_a_request(row, meter):
    with pytest.raises(LimitReached):
        await row.add([Count(MESSAGES, 4, 3)])
    assert meter.requests == []


async def test_a_count_is_one_write_and_its_settlement_another(row, meter, clock):
    await row.add([Count(TOKENS, 100, 100)], until=clock.now + 60)
    await row.settle({TOKENS: 100}, {TOKENS: 20}, clock.now + 60)
    assert meter.requests == ["UpdateItem", "UpdateItem"]
    await row.add([Count(TOKENS, 80, 100)], until=clock.now + 60)
    with pytest.raises(LimitReached):
        await row.add([Count(TOKENS, 1, 100)])


async def test_what_a_crash_leaves_is_given_back_once_its_time_has_passed(row, clock):
    await row.add([Count(TOKENS, 60, 100)], until=clock.now + 60)
    await row.add([Count(TOKENS, 30, 100)])
    clock.now += 60
    with pytest.raises(LimitReached):
        await row.add([Count(TOKENS, 60, 100)])
    clock.now += module.HOLD_SECONDS + module.LATE_SECONDS
    assert (await row.read())[TOKENS] == 30
    await row.add([Count(TOKENS, 60, 100)])
    assert (await row.read())[TOKENS] == 90


async def test_a_hold_is_given_back_once_however_many_ask_for_it_at_once(row, clock):
    await row.add([Count(TOKENS, 90, 100)], until=clock.now + 60)
    clock.now += 60 + module.HOLD_SECONDS + module.LATE_SECONDS
    results = await asyncio.gather(
        *(row.add([Count(TOKENS, 20, 100)]) for _ in range(8)), return_exceptions=True
    )
    passed = [result for result in results if not isinstance(result, BaseException)]
    assert 1 <= len(passed) <= 5
    assert (await row.read())[TOKENS] == 20 * len(passed)


async def test_an_answer_that_settles_after_its_hold_was_given_back_counts_what_it_used(row, clock):
    until = clock.now + 60
    await row.add([Count(TOKENS, 90, 100)], until=until)
    clock.now = until + module.HOLD_SECONDS + module.LATE_SECONDS
    await row.add([Count(TOKENS, 50, 100)])
    await row.settle({TOKENS: 90}, {TOKENS: 40}, until)
    assert (await row.read())[TOKENS] == 90


async def test_each_day_counts_for_itself_and_an_answer_over_midnight_for_the_day_it_began(
    row, clock
):
    clock.now = END - 10
    until = clock.now + 60
    await row.add([Count(TOKENS, 90, 100)], until=until)
    clock.now = END + 10
    tomorrow = f"output_tokens_per_day:{END + 86_400}"
    await row.add([Count(tomorrow, 90, 100)], until=clock.now + 60)
    await row.settle({TOKENS: 90}, {TOKENS: 10}, until)
    numbers = await row.read()
    assert (numbers[TOKENS], numbers[tomorrow]) == (10, 90)


async def test_a_row_does_not_grow_with_time(row, clock):
    for _ in range(40):
        until = clock.now + 60
        minute = f"messages_per_minute:{window_end(60, clock.now)}"
        day = f"output_tokens_per_day:{window_end(86_400, clock.now)}"
        counts = [Count(minute, 1, 9), Count(day, 5, 1_000), Count("answers_at_once:0", 1, 3)]
        numbers = await row.add(counts, until=until)
        used = {minute: 1, day: 2}
        await row.settle({count.name: count.amount for count in counts}, used, until)
        await row.tidy_if_due(numbers)
        clock.now += 1_800
    assert len(await row.read()) < module.TIDY_FROM + 12
    assert (await row.read())["answers_at_once:0"] == 0


async def test_a_row_without_use_expires(row, backend, clock):
    await row.add([Count(MESSAGES, 1, 3)])
    (stored,) = backend.rows()
    assert int(stored["expires"]["N"]) == int(clock.now) + module.KEPT_SECONDS
