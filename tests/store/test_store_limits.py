"""Limits for a person, a tenant, a network and the stage: what is refused costs nobody else."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from functions.context import RequestContext
from functions.errors import PublicError
from functions.limit_table import LimitTable, Price
from functions.limits import Limits, OverLimit, Use, limits, measures, reservation
from functions.limits.answer_use import FREE, AnswerUse, check_prices
from functions.store import counters, keys
from functions.store.counters import Counters
from functions.store.table import Table

MESSAGE = Use(messages=1)
NOON = 1_790_000_000.0
NUMBERS = itertools.count()


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=NOON)
    for module in (counters, limits, measures, reservation):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


@pytest.fixture
def limited(backend):
    """`limited(person={…}, stage={…})`: limits that count in the test's table."""

    def make(**table):
        return Limits(
            LimitTable.model_validate(table), Table(backend.table, client=backend.dynamodb)
        )

    return make


@pytest.fixture
def used(backend):
    """`await used("stage")`: the numbers of a row that is shared, by the names of the measures."""

    async def read(scope, name="0"):
        table = Table(backend.table, client=backend.dynamodb)
        numbers = await Counters(table, keys.shared_counters_key(scope, name)).read()
        return {key.split(":")[0]: n for key, n in numbers.items() if key.count(":") == 1}

    return read


def newcomer():
    return RequestContext(user_id=f"anon_{next(NUMBERS):032x}", newcomer=True)


async def crowd(spend, times):
    """How many of so many at once passed; the others must have been refused."""
    results = await asyncio.gather(*(spend(n) for n in range(times)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(error, OverLimit) for error in refused), refused
    return times - len(refused)


async def test_of_a_hundred_requests_at_once_no_more_pass_than_the_limit(limited, ada):
    limiting = limited(person={"messages_per_day": 7})
    assert await crowd(lambda _: limiting.spend(ada, MESSAGE), 100) == 7


async def test_what_a_person_is_refused_does_not_count_for_the_stage(limited, ada, used):
    limiting = limited(person={"messages_per_minute": 3}, stage={"messages_per_day": 100})
    assert await crowd(lambda _: limiting.spend(ada, MESSAGE), 12) == 3
    assert await used("stage") == {"messages_per_day": 3}


async def test_what_the_stage_refuses_does_not_count_for_a_person_or_a_network(limited, used):
    limiting = limited(
        person={"messages_per_day": 100},
        network={"messages_per_day": 100},
        stage={"messages_per_day": 4},
    )
    people = [RequestContext(user_id=f"p{n}", network="net") for n in range(3)]
    assert await crowd(lambda n: limiting.spend(people[n % 3], MESSAGE), 12) == 4
    assert await used("network", "net") == {"messages_per_day": 4}
    counted = [(await limiting.used(person))[0]["used"] for person in people]
    assert sum(counted) == 4


async def test_tokens_that_are_reserved_at_once_never_exceed_the_limit(limited, ada, clock):
    limiting = limited(person={"output_tokens_per_day": 1_000})
    use = Use(output_tokens=300)

    async def reserve(_):
        await limiting.reserve(ada, use, until=clock.now + 60)

    assert await crowd(reserve, 30) == 3


@pytest.mark.parametrize(
    ("scope", "other"),
    [
        ("person", {"user_id": "eve"}),
        ("tenant", {"user_id": "eve", "tenant": "globex"}),
        ("network", {"user_id": "eve", "network": "n2"}),
    ],
)
async def test_each_scope_has_limits_of_its_own_and_says_when_they_end(limited, scope, other):
    limiting = limited(**{scope: {"messages_per_minute": 1}})
    mine = RequestContext(user_id="ada", tenant="acme", network="n1")
    same = RequestContext(
        user_id="ada" if scope == "person" else "bob", tenant="acme", network="n1"
    )
    await limiting.spend(mine, MESSAGE)
    with pytest.raises(OverLimit, match="in a short time") as refused:
        await limiting.spend(same, MESSAGE)
    assert refused.value.status == 429
    assert 1 <= int(refused.value.headers["retry-after"]) <= 60
    await limiting.spend(RequestContext(**other), MESSAGE)


async def test_a_limit_that_is_not_set_is_off_and_costs_nothing(limited, ada, meter):
    limiting = limited()
    await limiting.spend(ada, Use(messages=1, input_tokens=10**9, requests=1, upload_bytes=10**9))
    await limiting.spend(ada, Use(requests=1))
    assert await limiting.used(ada) == []
    assert meter.requests == []


async def test_each_scope_costs_one_write(limited, meter):
    everything = {"messages_per_minute": 9, "messages_per_day": 9, "answers_at_once": 9}
    limiting = limited(person=everything, tenant=everything, network=everything, stage=everything)
    context = RequestContext(user_id="ada", tenant="acme", network="n1")
    await limiting.reserve(context, Use(messages=1, answers=1), until=NOON)
    assert meter.requests == ["UpdateItem"] * 4


async def test_newcomers_leave_the_rest_of_the_day_to_who_was_here_before(limited, ada):
    limiting = limited(stage={"messages_per_day": 10})
    assert await crowd(lambda _: limiting.spend(newcomer(), MESSAGE), 20) == 7
    assert await crowd(lambda _: limiting.spend(ada, MESSAGE), 20) == 3


async def test_a_newcomer_begins_with_smaller_limits_of_a_day(limited):
    limiting = limited(person={"messages_per_day": 10})
    eve = newcomer()
    assert await crowd(lambda _: limiting.spend(eve, MESSAGE), 12) == 5
    known = RequestContext(user_id=eve.user_id)
    assert await crowd(lambda _: limiting.spend(known, MESSAGE), 12) == 5


async def test_a_role_multiplies_a_persons_limits(limited):
    limiting = limited(person={"messages_per_day": 2}, roles={"staff": 3, "guest": 0.5})
    staff = RequestContext(user_id="ada", roles=frozenset({"staff", "guest"}))
    guest = RequestContext(user_id="bob", roles=frozenset({"guest"}))
    assert await crowd(lambda _: limiting.spend(staff, MESSAGE), 9) == 6
    assert await crowd(lambda _: limiting.spend(guest, MESSAGE), 9) == 1


async def test_the_shards_of_the_stage_together_let_its_limit_pass(limited, ada):
    limiting = limited(stage={"messages_per_day": 12}, stage_shards=3, kept_share=0)
    assert await crowd(lambda _: limiting.spend(ada, MESSAGE), 40) == 12


async def test_answers_at_one_time_are_freed_when_they_end_and_by_time_after_a_crash(
    limited, ada, clock
):
    limiting = limited(person={"answers_at_once": 2})
    answer = Use(answers=1)
    first = await limiting.reserve(ada, answer, until=clock.now + 60)
    await limiting.reserve(ada, answer, until=clock.now + 60)  # and then the function crashes
    with pytest.raises(OverLimit, match="still being written") as refused:
        await limiting.reserve(ada, answer, until=clock.now + 60)
    assert refused.value.headers["retry-after"] == str(measures.BUSY_SECONDS)
    await first.settle(Use())
    await limiting.reserve(ada, answer, until=clock.now + 60)
    clock.now += 60 + counters.HOLD_SECONDS + counters.LATE_SECONDS
    assert await crowd(lambda _: limiting.reserve(ada, answer, until=clock.now + 60), 6) == 2


async def test_a_day_from_reservation_to_midnight(limited, ada, used, clock):
    """Reserve, settle, crash, and a new day."""
    table = {"output_tokens_per_day": 1_000, "messages_per_day": 50}
    limiting = limited(person=table, stage=table)
    most = Use(messages=1, output_tokens=400)

    async def reserve():
        return await limiting.reserve(ada, most, until=clock.now + 60)

    settled = await reserve()
    assert await used("stage") == {"output_tokens_per_day": 400, "messages_per_day": 1}
    await settled.settle(Use(messages=1, output_tokens=50))
    assert await used("stage") == {"output_tokens_per_day": 50, "messages_per_day": 1}
    never_began = await reserve()
    await never_began.give_back()
    assert await used("stage") == {"output_tokens_per_day": 50, "messages_per_day": 1}
    await reserve()
    await reserve()  # two crash
    with pytest.raises(OverLimit, match="are being written"):
        await reserve()
    clock.now += 60 + counters.HOLD_SECONDS + counters.LATE_SECONDS
    assert await used("stage") == {"output_tokens_per_day": 50, "messages_per_day": 1}
    over_midnight = await reserve()
    clock.now = counters.window_end(86_400, clock.now) + 5
    assert [each["used"] for each in await limiting.used(ada)] == [0, 0]
    await over_midnight.settle(Use(messages=1, output_tokens=400))
    assert [each["used"] for each in await limiting.used(ada)] == [0, 0]
    await reserve()
    assert {each["limit"]: each["used"] for each in await limiting.used(ada)} == {
        "messages_per_day": 1,
        "output_tokens_per_day": 400,
    }


async def test_a_call_that_needs_more_than_is_reserved_reserves_it_and_is_refused_over_the_limit(
    limited, ada, clock, meter
):
    limiting = limited(person={"input_tokens_per_day": 1_000, "output_tokens_per_day": 100})
    reserved = Use(messages=1, input_tokens=400, output_tokens=50)
    held = await limiting.reserve(ada, reserved, until=clock.now + 60)
    use = AnswerUse(held, reserved, FREE)
    meter.clear()
    first = await use.begin_call(400, 50)
    assert meter.requests == []
    use.end_call(first, 380, 10)
    second = await use.begin_call(450, 50)
    use.end_call(second, 450, 30)
    with pytest.raises(OverLimit):
        await use.begin_call(500, 50)
    await use.settle(began=True)
    assert {each["limit"]: each["used"] for each in await limiting.used(ada)} == {
        "input_tokens_per_day": 830,
        "output_tokens_per_day": 40,
    }


async def test_a_budget_counts_what_the_tokens_cost(limited, ada, used, clock):
    limiting = limited(stage={"dollars_per_day": 1.0}, kept_share=0)
    price = Price(input=1.0, cached_input=0.1, output=10.0)
    reserved = Use(microdollars=500_000)
    held = await limiting.reserve(ada, reserved, until=clock.now + 60)
    use = AnswerUse(held, reserved, price)
    call = await use.begin_call(100_000, 40_000)
    use.end_call(call, 100_000, 20_000, 50_000)
    await use.settle(began=True)
    assert await used("stage") == {"dollars_per_day": 50_000 + 5_000 + 200_000}
    with pytest.raises(OverLimit, match="budget"):
        await limiting.reserve(ada, Use(microdollars=800_000), until=clock.now + 60)


def test_a_budget_needs_a_price_for_every_model(limited):
    budget = Limits(LimitTable.model_validate({"stage": {"dollars_per_day": 1}}), Table("t"))
    price = Price(input=1, output=1)
    with pytest.raises(ValueError, match="gpt-b has no price"):
        check_prices(budget, {"gpt-a": price}, ["gpt-a", "gpt-b"])
    check_prices(budget, {"gpt-a": price}, ["gpt-a"])
    check_prices(Limits(LimitTable(), Table("t")), {}, ["gpt-a"])


async def test_a_person_is_told_once_that_most_of_the_day_is_used(limited, ada, clock):
    limiting = limited(person={"messages_per_day": 10, "output_tokens_per_day": 10_000})
    told = []
    for _ in range(10):
        held = await limiting.reserve(ada, Use(messages=1, output_tokens=500), until=clock.now + 60)
        used = Use(messages=1, output_tokens=100)
        told.append(held.notice(used))
        await held.settle(used)
    assert told[7] == "You have used 80% of what you can use today: 8 of 10 messages."
    assert [notice for notice in told if notice] == [told[7]]


async def test_a_hundred_people_at_once_never_get_more_than_the_stage_has(limited, used, clock):
    """Each refusal gives back what it has counted for its person."""
    limiting = limited(
        person={"messages_per_day": 5}, stage={"messages_per_day": 30, "output_tokens_per_day": 900}
    )
    people = [RequestContext(user_id=f"p{n}") for n in range(100)]
    use = Use(messages=1, output_tokens=100)
    passed = await crowd(lambda n: limiting.reserve(people[n], use, until=clock.now + 60), 100)
    assert passed == 9
    assert await used("stage") == {"messages_per_day": 9, "output_tokens_per_day": 900}
    counted = [(await limiting.used(person))[0]["used"] for person in people]
    assert sum(counted) == 9


async def test_what_is_only_held_is_said_so_and_may_be_tried_again_soon(limited, ada, clock):
    limiting = limited(person={"output_tokens_per_day": 1_000})
    most = Use(output_tokens=800)
    running = await limiting.reserve(ada, most, until=clock.now + 60)
    with pytest.raises(OverLimit, match="are being written") as refused:
        await limiting.reserve(ada, most, until=clock.now + 60)
    assert refused.value.headers["retry-after"] == str(measures.BUSY_SECONDS)
    await running.settle(most)
    with pytest.raises(OverLimit, match="tomorrow") as refused:
        await limiting.reserve(ada, most, until=clock.now + 60)
    assert int(refused.value.headers["retry-after"]) > measures.BUSY_SECONDS


async def test_what_can_never_pass_is_too_large_and_newcomers_read_words_of_their_own(limited, ada):
    limiting = limited(person={"output_tokens_per_day": 1_000}, stage={"messages_per_day": 10})
    with pytest.raises(PublicError) as refused:
        await limiting.spend(ada, Use(output_tokens=1_001))
    assert refused.value.status == 413
    await limiting.spend(ada, Use(messages=7))
    with pytest.raises(OverLimit, match="New visitors"):
        await limiting.spend(newcomer(), MESSAGE)


async def test_whoever_is_stopped_while_they_reserve_leaves_nothing_reserved(
    limited, ada, used, clock, monkeypatch
):
    limiting = limited(person={"messages_per_day": 9}, stage={"messages_per_day": 9})
    held = await limiting.reserve(ada, MESSAGE, until=clock.now + 60)
    entered, add = asyncio.Event(), Counters.add

    async def slow(self, counts, **more):
        entered.set()
        numbers = await add(self, counts, **more)
        await asyncio.sleep(0.01)  # the write has landed when the cancellation comes
        return numbers

    monkeypatch.setattr(Counters, "add", slow)
    adding = asyncio.create_task(held.add(MESSAGE))
    await entered.wait()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await used("stage") == {"messages_per_day": 1}
    await held.settle(Use())
    assert await used("stage") == {"messages_per_day": 0}


async def test_an_answer_over_midnight_frees_its_place_whatever_was_tidied_meanwhile(
    limited, ada, clock
):
    limiting = limited(person={"answers_at_once": 1, "output_tokens_per_day": 100})
    clock.now = counters.window_end(86_400, clock.now) - 10
    use = Use(answers=1, output_tokens=50)
    answer = await limiting.reserve(ada, use, until=clock.now + 300)
    clock.now += 200
    row = Counters(limiting._table, keys.counters_key("ada%40example.com%7C%231"))
    await row.tidy(counters._numbers(await row.table.get(row.key)))
    await answer.settle(Use(output_tokens=20))
    await limiting.reserve(ada, Use(answers=1), until=clock.now + 60)


async def test_a_row_that_is_throttled_refuses_and_costs_nobody_else(
    limited, ada, used, monkeypatch
):
    limiting = limited(network={"messages_per_day": 9}, stage={"messages_per_day": 9})
    add = Counters.add

    async def throttled(self, counts, **more):
        if "stage" in self.key["pk"]["S"]:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")
        return await add(self, counts, **more)

    monkeypatch.setattr(Counters, "add", throttled)
    context = RequestContext(user_id="ada", network="n1")
    with pytest.raises(PublicError, match="Very many people") as refused:
        await limiting.spend(context, MESSAGE)
    assert refused.value.status == 429
    assert await used("network", "n1") == {"messages_per_day": 0}
