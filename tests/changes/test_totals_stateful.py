"""A state machine: what is delivered twice, late, out of order or after a fault counts once."""

import asyncio
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from moto import mock_aws

from functions.changes.totals import Totals
from functions.run_record import RunRecord, ToolCall
from functions.store import create_table, keys
from functions.store.report import Reports
from functions.store.table import Table
from functions.store.totals import AT_ONCE
from functions.store.totals import Totals as Counted
from tests.changes.records import stream_record

TODAY = date(2026, 11, 2)
"""The days that are counted are in two months."""
DAYS = 4
OWNERS = ["ada", "bob"]
THREADS = ["t1", "t2"]
ITEMS = ["m1", "m2"]
MOMENTS = [
    datetime(2026, 11, 2, tzinfo=UTC) - timedelta(days=back, hours=hours)
    for back in range(DAYS - 1)
    for hours in (-1, 1)
]


RUNS = st.builds(
    RunRecord,
    run_id=st.just(""),
    at=st.just(""),
    request=st.sampled_from(["threads.add_user_message", "threads.custom_action"]),
    owner=st.sampled_from(OWNERS),
    thread_id=st.sampled_from(THREADS),
    message_id=st.just("msg"),
    provider=st.just("openai"),
    model=st.sampled_from(["gpt", "claude", ""]),  # an action that no model answers has none
    outcome=st.sampled_from(["completed", "waiting", "failed", "stopped"]),
    error=st.sampled_from([None, "RateLimitError"]),
    first_token_ms=st.sampled_from([None, 400]),
    input_tokens=st.integers(0, 9),
    microdollars=st.integers(0, 9),
    tools=st.lists(
        st.builds(
            ToolCall,
            name=st.sampled_from(["add", "find"]),
            ms=st.just(1),
            outcome=st.sampled_from(["ok", "failed"]),
        ),
        max_size=3,
    ),
    unsupported=st.booleans(),
    duration_ms=st.just(1),
)
MIDDLE_MS = 420
"""What 400 ms are in a report: the middle of their bucket."""

CLIENTS = {}


class Fault:
    """Lets the n-th request from now on fail, before or after the table has handled it."""

    def __init__(self):
        self.countdown = None
        self.late = False

    def before(self, **_):
        if not self.late:
            self.strike()

    def after(self, **_):
        if self.late:
            self.strike()

    def strike(self):
        if self.countdown is None:
            return
        self.countdown -= 1
        if self.countdown < 0:
            self.countdown = None
            raise EndpointConnectionError(endpoint_url="injected")


class Meanwhile:
    """Runs something once, just before the next transaction: as a second reader does."""

    def __init__(self):
        self.run = None

    def __call__(self, **_):
        run, self.run = self.run, None
        if run is not None:
            run()


class TotalsBesideACountByHand(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.loop, self.client = asyncio.new_event_loop(), CLIENTS["moto"]
        self.table = f"t-{uuid4().hex}"
        create_table(self.client, self.table)
        table = Table(self.table, self.client)
        self.totals, self.reports = Totals(Counted(table)), Reports(table)
        self.fault, self.meanwhile, self.two_readers = Fault(), Meanwhile(), False
        events = self.client.meta.events
        events.register("provide-client-params.dynamodb.TransactWriteItems", self.meanwhile)
        events.register("before-send.dynamodb", self.fault.before)
        events.register("after-call.dynamodb", self.fault.after)
        self.numbers = count()
        self.rows = {}
        """The rows that conversations have, by key."""
        self.waiting, self.delivered = [], []
        self.runs = []
        self.marks = {}
        """The last mark of each item that has one: its kind and its day."""
        self.marks_of_deleted = []

    def teardown(self):
        self.fault.countdown = None
        assert self.take(self.waiting) == []
        assert self.take(self.delivered + self.waiting) == []
        assert self.report() == self.by_hand()
        events = self.client.meta.events
        events.unregister("provide-client-params.dynamodb.TransactWriteItems", self.meanwhile)
        events.unregister("before-send.dynamodb", self.fault.before)
        events.unregister("after-call.dynamodb", self.fault.after)
        self.client.delete_table(TableName=self.table)
        self.loop.close()

    def take(self, records):
        return self.loop.run_until_complete(self.totals.take(records))

    def write(self, key, row):
        """Writes a row, or removes it with `None`, of which the stream has a record."""
        name = (key["pk"]["S"], key["sk"]["S"])
        old = self.rows.pop(name, None)
        if row is not None:
            self.rows[name] = row
        self.waiting.append(stream_record(key, old, row, next(self.numbers)))

    @initialize(runs=st.lists(RUNS, min_size=4, max_size=8))
    def begin_with_conversations(self, runs):
        for run in runs:
            self.a_run_ends(run, MOMENTS[0])
            self.a_mark_is_given_or_taken_back(
                run.owner, run.thread_id, ITEMS[0], MOMENTS[1], "negative"
            )

    @rule(run=RUNS, moment=st.sampled_from(MOMENTS))
    def a_run_ends(self, run, moment):
        number = next(self.numbers)
        at = keys.stamp(moment + timedelta(seconds=number))
        run = run.model_copy(update={"run_id": f"r{number}", "at": at})
        self.runs.append(run)
        row = {"body": {"S": run.model_dump_json()}}
        self.write(keys.ended_run_key(run.owner, run.thread_id, run.run_id), row)

    @rule(
        owner=st.sampled_from(OWNERS),
        thread=st.sampled_from(THREADS),
        item=st.sampled_from(ITEMS),
        moment=st.sampled_from(MOMENTS),
        kind=st.sampled_from(["positive", "negative", "negative", None]),
    )
    def a_mark_is_given_or_taken_back(self, owner, thread, item, moment, kind):
        key = keys.key(keys.thread_partition(owner, thread), keys.FEEDBACK + item)
        at = keys.stamp(moment + timedelta(seconds=next(self.numbers)))
        row = {"item": {"S": item}, "at": {"S": at}}
        self.write(key, row | ({"kind": {"S": kind}} if kind else {}))
        self.marks[owner, thread, item] = (kind, at[:10]) if kind else None

    @precondition(lambda self: self.rows)
    @rule(owner=st.sampled_from(OWNERS), thread=st.sampled_from(THREADS))
    def a_thread_is_deleted(self, owner, thread):
        partition = keys.thread_partition(owner, thread)
        for pk, sk in [name for name in self.rows if name[0] == partition]:
            self.write(keys.key(pk, sk), None)
        for item in ITEMS:
            if mark := self.marks.pop((owner, thread, item), None):
                self.marks_of_deleted.append(mark)

    @precondition(lambda self: self.waiting)
    @rule(fault=st.sampled_from([None, 0, 1, 2, 3]), late=st.booleans(), two=st.booleans())
    def a_reader_is_disturbed_next(self, fault, late, two):
        """A request fails, or a second reader takes some of the records at the same time."""
        self.fault.countdown, self.fault.late, self.two_readers = fault, late, two

    @rule(
        seed=st.integers(0, 1000), new=st.sampled_from([1, 3, AT_ONCE + 4]), again=st.integers(0, 3)
    )
    def records_are_delivered(self, seed, new, again):
        """Some that wait, in any order, with some that were delivered before."""
        chance = random.Random(seed)
        chance.shuffle(self.waiting)
        batch, self.waiting = self.waiting[:new], self.waiting[new:]
        repeated = chance.sample(self.delivered, min(again, len(self.delivered)))
        records = [*batch, *repeated, *batch[:1]]
        chance.shuffle(records)
        if self.two_readers:
            self.meanwhile.run = lambda: asyncio.run(self.totals.take(records[::2]))
        failed = set(self.take(records))
        self.fault.countdown = self.meanwhile.run = None
        self.two_readers = False
        self.delivered += batch
        self.waiting += [r for r in batch if r["dynamodb"]["SequenceNumber"] in failed]

    def report(self):
        report = self.loop.run_until_complete(self.reports.read(DAYS, TODAY))
        found = Counter()
        for day in report["days"]:
            name = day["day"]
            found[name, "people"] = day["people"]
            found[name, "messages"] = day["messages"]
            for kind in ("outcomes", "errors", "feedback"):
                found.update({(name, kind, what): number for what, number in day[kind].items()})
            for tool, calls in day["tools"].items():
                found.update({(name, tool, what): number for what, number in calls.items()})
            for model in day["models"]:
                for what in ("answers", "inputTokens", "firstTokenP50Ms"):
                    found[name, model["model"], what] = model[what] or 0
                found[name, model["model"], "microdollars"] = round(model["dollars"] * 1e6)
        questions = {(each["at"], each["why"], each["item"]) for each in report["questions"]}
        return +found, questions

    def by_hand(self):
        found = Counter()
        for run in self.runs:
            day, model = run.at[:10], run.model
            found[day, "messages"] += run.request == "threads.add_user_message"
            if not model:
                continue
            found[day, "outcomes", run.outcome] += 1
            found[day, "errors", "RateLimitError"] += run.error is not None
            for call in run.tools:
                found[day, call.name, "calls"] += 1
                found[day, call.name, "failed"] += call.outcome == "failed"
            found[day, model, "answers"] += run.outcome != "failed"
            found[day, model, "inputTokens"] += run.input_tokens
            found[day, model, "microdollars"] += run.microdollars
            if run.first_token_ms is not None:
                found[day, model, "firstTokenP50Ms"] = MIDDLE_MS
        for day, _ in {(run.at[:10], run.owner) for run in self.runs}:
            found[day, "people"] += 1
        for mark in [*filter(None, self.marks.values()), *self.marks_of_deleted]:
            found[mark[1], "feedback", mark[0]] += 1
        asked = set()
        for (_, sk), row in self.rows.items():
            if sk.startswith("ENDED#"):
                run = RunRecord.model_validate_json(row["body"]["S"])
                asked |= {(run.at, "no source", "msg")} if run.unsupported else set()
            elif row.get("kind", {}).get("S") == "negative":
                asked.add((row["at"]["S"], "thumb down", row["item"]["S"]))
        return +found, asked


@pytest.fixture(scope="module", autouse=True)
def table():
    """moto's table in this process, asked without retries, so that an injected fault is raised."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        once = Config(retries={"total_max_attempts": 1})
        CLIENTS["moto"] = boto3.client("dynamodb", region_name="us-east-1", config=once)
        yield


def many(examples):
    return settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


class TestTotalsBesideACountByHand(TotalsBesideACountByHand.TestCase):
    settings = many(8)


@pytest.mark.soak
class TestTotalsBesideACountByHandAtLength(TotalsBesideACountByHand.TestCase):
    settings = many(1000)
