"""What the store costs: round trips, capacity units and dollars for a turn, and its own time.

    python -m tests.bench.store [ROUNDS]

The engine is DynamoDB Local, AWS's own, which counts units as AWS does. Where Java or Maven is
missing it is moto's server, which estimates them. Each store call is compared with the same
requests made directly with boto3, one after the other in one thread, alternating in one run.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    FileAttachment,
    InferenceOptions,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)
from moto.server import ThreadedMotoServer

from functions import aws
from functions.chat.own_items import own_item
from functions.chat.tool_memory import content_of
from functions.context import RequestContext
from functions.limit_table import LimitTable
from functions.limits import Limits, Use
from functions.store import (
    DynamoDBStore,
    Run,
    Runs,
    Sessions,
    create_table,
)
from infra.stack.limits import DEFAULTS
from tests.support.dynamodb_local import engine
from tests.support.dynamodb_local.meter import Meter, metered

AWS_TRANSACTION = 2
"""Write units of a transaction that puts one small row: to prepare, and to commit."""

HISTORY = 20
QUESTION = "How do I get from the station to the harbour, and what does it cost? " * 2
ANSWER = "Take the number 4 tram from the square behind the station. " * 25
POLLS = 5
"""How often an answer of some five seconds reads its cancel flag."""
WARM_UP = 5
TAG = "0tag0"
"""A placeholder in recorded requests for an id that must be new each time."""

ADA = RequestContext(user_id="ada@example.com", network="n" * 32)

LIMITS = LimitTable.model_validate(DEFAULTS)
"""The stack's own."""
MOST = Use(messages=1, input_tokens=36_000, output_tokens=8_000, answers=1)
USED = Use(messages=1, input_tokens=2_000, output_tokens=300)
START = datetime(2026, 1, 2)


@contextmanager
def backend() -> Iterator[tuple[str, str]]:
    """An engine's name and endpoint."""
    reason = engine.why_not()
    if reason is None:
        with engine.running(Path(tempfile.gettempdir()) / "chatkit-dynamodb-local") as endpoint:
            yield "DynamoDB Local", endpoint
        return
    print(f"{reason}: moto's server instead")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "moto", "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def connect(endpoint: str) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=aws.config("dynamodb"),
    )


def question(item_id: str, thread_id: str, moment: datetime) -> UserMessageItem:
    return UserMessageItem(
        id=item_id,
        thread_id=thread_id,
        created_at=moment,
        content=[UserMessageTextContent(text=QUESTION)],
        inference_options=InferenceOptions(),
    )


def answer(item_id: str, thread_id: str, moment: datetime) -> AssistantMessageItem:
    return AssistantMessageItem(
        id=item_id,
        thread_id=thread_id,
        created_at=moment,
        content=[AssistantMessageContent(text=ANSWER)],
    )


async def furnish(store: DynamoDBStore, thread_id: str) -> None:
    await store.save_thread(ThreadMetadata(id=thread_id, created_at=START), ADA)
    for n in range(HISTORY):
        make = answer if n % 2 else question
        item = make(f"m{n:03}", thread_id, START + timedelta(seconds=n))
        await store.add_thread_item(thread_id, item, ADA)


class Turn:
    """The phases of a turn, as in the streaming function."""

    def __init__(self, store: DynamoDBStore) -> None:
        self.store = store
        self.runs = Runs(store.table)
        self.sessions = Sessions(store.table)
        self.limits = Limits(LIMITS, store.table)
        self.run = Run(f"run-{uuid4().hex}", "thr_1", time.time() + 60)
        self.phases: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
            ("read what the checks read, and reserve", self.read),
            ("claim the run and write the message", self.begin),
            (f"look at the cancel flag {POLLS} times", self.poll),
            ("write the answer", self.answer),
            ("end the run", self.finish),
        ]

    async def read(self) -> None:
        (_, items), self.reservation, _, _ = await asyncio.gather(
            self.store.open_turn("thr_1", HISTORY, ADA),
            self.limits.reserve(ADA, MOST, until=self.run.deadline),
            self.sessions.is_over(ADA, 0.0),
            self.runs.find(self.run.id, ADA),
        )
        await items()

    async def begin(self) -> None:
        item = question("q", "thr_1", START + timedelta(days=1))
        await self.store.begin_run(self.run, ADA, item=item)

    async def poll(self) -> None:
        for _ in range(POLLS):
            await self.runs.is_cancelled(self.run.id, ADA)

    async def answer(self) -> None:
        item = answer("a", "thr_1", START + timedelta(days=1, seconds=1))
        await self.store.add_thread_item("thr_1", item, ADA)

    async def keep(self) -> None:
        """What an answer that has called a tool writes, too."""
        call = {"type": "function_call", "call_id": "c", "name": "find", "arguments": "{}"}
        returned = {"type": "function_call_output", "call_id": "c", "output": ANSWER}
        at = START + timedelta(days=1, microseconds=1)
        item = own_item("k", "thr_1", at, content_of([call, returned], "openai/gpt-5"))
        await self.store.add_thread_item("thr_1", item, ADA)

    async def finish(self) -> None:
        await asyncio.gather(
            self.runs.finish(self.run.id, "thr_1", ADA, "done"),
            self.reservation.settle(USED),
        )


async def show_turn(store: DynamoDBStore, meter: Meter) -> None:
    print(f"\nA turn in a thread of {HISTORY} items: requests, read units, write units")
    reads = writes = 0.0
    turn = Turn(store)
    for name, phase in turn.phases:
        meter.clear()
        await phase()
        reads += meter.read_units
        writes += meter.write_units
        requests = ", ".join(sorted(meter.requests))
        print(f"  {name:<48} {meter.read_units:5.1f} {meter.write_units:5.1f}  {requests}")
    print(f"  {'together':<48} {reads:5.1f} {writes:5.1f}")
    meter.clear()
    await turn.keep()
    name, requests = "after tools: keep what they returned", ", ".join(meter.requests)
    print(f"  {name:<48} {meter.read_units:5.1f} {meter.write_units:5.1f}  {requests}")
    print("  The first two lines come before the model: a round trip each, side by side.")
    print("  What a million units cost: https://aws.amazon.com/dynamodb/pricing/on-demand/")


class Recorder:
    """Records the requests of a client, so that they can be sent again."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.requests: list[tuple[str, dict[str, Any]]] = []
        client.meta.events.register("provide-client-params.dynamodb", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests.append((model.name, dict(params)))

    def stop(self) -> list[tuple[Callable[..., Any], str]]:
        self.client.meta.events.unregister("provide-client-params.dynamodb", self._note)
        methods = {
            operation: getattr(self.client, method)
            for method, operation in self.client.meta.method_to_api_mapping.items()
        }
        return [(methods[name], json.dumps(params)) for name, params in self.requests]


async def compare(
    name: str,
    store: DynamoDBStore,
    rounds: int,
    make: Callable[[str], Any],
    before: Callable[[str], Any] | None,
) -> None:
    """Print the median of a store call, and of its requests made directly, alternating.

    `before`, if given, runs before each of them and is not measured.
    """
    prepare = before or _nothing
    await prepare(TAG)
    recorder = Recorder(store.table.client)
    await make(TAG)
    requests = recorder.stop()
    ours: list[float] = []
    direct: list[float] = []
    for n in range(rounds + WARM_UP):
        await prepare(f"ours-{n}")
        await prepare(f"direct-{n}")
        begin = time.perf_counter()
        await make(f"ours-{n}")
        ours.append(time.perf_counter() - begin)
        prepared = [
            (method, json.loads(params.replace(TAG, f"direct-{n}"))) for method, params in requests
        ]
        begin = time.perf_counter()
        for method, params in prepared:
            method(**params)
        direct.append(time.perf_counter() - begin)
    mine, theirs = (statistics.median(times[WARM_UP:]) * 1000 for times in (ours, direct))
    print(f"  {name:<22} {len(requests)} {mine:9.2f} {theirs:9.2f} {mine / theirs:9.2f}")


async def _nothing(_: str) -> None:
    pass


async def show_calls(store: DynamoDBStore, rounds: int) -> None:
    print(f"\nEach call, median of {rounds}: requests, ms, ms of the same with boto3, ratio")
    runs = Runs(store.table)
    seconds = count(1)

    def later() -> datetime:
        return START + timedelta(days=2, seconds=next(seconds))

    async def rename(title: str) -> None:
        thread.title = title
        await store.save_thread(thread, ADA)

    async def new_thread(tag: str) -> None:
        await store.save_thread(ThreadMetadata(id=f"thr-{tag}", created_at=START), ADA)

    def file(tag: str, thread_id: str | None = None) -> FileAttachment:
        kind = "text/plain"
        return FileAttachment(id=f"file-{tag}", name="a.txt", mime_type=kind, thread_id=thread_id)

    thread = await store.load_thread("thr_1", ADA)
    before = {"delete_thread": new_thread}
    calls: dict[str, Callable[[str], Any]] = {
        "load_thread": lambda _: store.load_thread("thr_1", ADA),
        "save_thread": rename,
        "save_thread (new)": new_thread,
        "load_threads": lambda _: store.load_threads(HISTORY, None, "desc", ADA),
        "load_thread_items": lambda _: store.load_thread_items("thr_1", None, HISTORY, "desc", ADA),
        "load_item": lambda _: store.load_item("thr_1", "m001", ADA),
        "add_thread_item": lambda tag: store.add_thread_item(
            "thr_1", answer(f"a-{tag}", "thr_1", later()), ADA
        ),
        "save_item": lambda tag: store.save_item("thr_1", answer("m001", "thr_1", later()), ADA),
        "delete_thread_item": lambda tag: store.delete_thread_item("thr_1", f"a-{tag}", ADA),
        "delete_thread": lambda tag: store.delete_thread(f"thr-{tag}", ADA),
        "save_attachment": lambda tag: store.save_attachment(file(tag), ADA),
        "save_attachment (sent)": lambda tag: store.save_attachment(file(tag, "thr_1"), ADA),
        "load_attachment": lambda _: store.load_attachment(f"file-{TAG}", ADA),
        "delete_attachment": lambda tag: store.delete_attachment(f"file-{tag}", ADA),
        "open_turn": lambda _: store.open_turn("thr_1", HISTORY, ADA),
        "begin_run": lambda tag: store.begin_run(
            Run(f"run-{tag}", "thr_1", time.time() + 60),
            ADA,
            item=question(f"q-{tag}", "thr_1", later()),
        ),
        "is_cancelled": lambda _: runs.is_cancelled(f"run-{TAG}", ADA),
    }
    for name, make in calls.items():
        await compare(name, store, rounds, make, before.get(name))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with backend() as (name, endpoint):
        print(f"engine: {name}")
        client = connect(endpoint)
        table = f"bench-{uuid4().hex}"
        create_table(client, table)
        store = DynamoDBStore(table, client=client)

        async def measure() -> None:
            await furnish(store, "thr_1")
            with metered(client) as meter:
                reported = meter.calibrate(client, table)
                if reported != AWS_TRANSACTION:
                    print(
                        f"{name} reports {reported:.0f} units for a transaction that AWS bills "
                        f"with {AWS_TRANSACTION}: scaled"
                    )
                await show_turn(store, meter)
            await show_calls(store, rounds)

        asyncio.run(measure())


if __name__ == "__main__":
    main()
