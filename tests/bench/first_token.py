"""How long a visitor waits for the first word: the table against no table at all.

One run, one model that answers at once over real HTTP, and two servers, each the whole
product in a process of its own; only the store behind them differs. The engine is DynamoDB
Local, AWS's own; run it with `make bench`.

Twice: with all of them on the same CPUs, and with a server on a CPU of its own, as the function
is by default (1,769 MB is one: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
The bar is held against both.
"""

import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from functions.store import create_table
from tests.bench import first_token_app
from tests.support.chat import Chat, message
from tests.support.dynamodb_local import engine
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

BAR = 1.3
PAIRS = 3
"""Servers of each kind, one pair after the other: where a process lies in memory is worth 5 %."""
TURNS = 60
WARM_UP = 20
ENGINE_WARM_UP = 2500
"""Calls of each kind until the engine's Java is compiled. Before, a transaction takes the CPUs
6 ms, of which 4 are the compiler's; afterwards 2.5.
"""
A_THREAD = 10
"""Turns in one thread before the next is begun."""
CACHE = Path(__file__).resolve().parents[2] / ".pytest_cache" / "d" / "dynamodb-local"


def first_token(chat, text, thread=None):
    """Seconds from the request to the answer's first word, and where to go on."""
    began = time.perf_counter()
    kind, params = (
        ("threads.create", {}) if thread is None else ("threads.add_user_message", thread)
    )
    with chat.open(kind, input=message(text), **params) as events:
        seconds = None
        for event in events:
            if seconds is None and "delta" in event.get("update", {}):
                seconds = time.perf_counter() - began
            if event["type"] == "thread.created":
                params = {"thread_id": event["thread"]["id"]}
    return seconds, params


def share_out():
    """Leave all CPUs but one to this process and those it starts from now on; that one."""
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cpus) < 2:
        return set()
    os.sched_setaffinity(0, cpus[1:])
    return {cpus[0]}


@contextmanager
def server(store, environment, cpus):
    process = subprocess.Popen(
        [sys.executable, "-m", first_token_app.__name__, store],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # one line of log for each answer
        text=True,
    )
    if cpus:
        os.sched_setaffinity(process.pid, cpus)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate()


def warm(table):
    """Make the engine as quick as it gets; AWS's is not started for one visitor."""
    key = {"pk": {"S": "warm"}, "sk": {"S": "up"}}
    for number in range(ENGINE_WARM_UP):
        moved = {
            "TableName": "bench",
            "UpdateExpression": "SET #position = :p, body = :b",
            "ConditionExpression": "attribute_not_exists(never)",
            "ExpressionAttributeNames": {"#position": "position"},
            "ExpressionAttributeValues": {":p": {"S": f"{number}"}, ":b": {"S": "b" * 500}},
        }
        rows = [{**key, "sk": {"S": f"up{row + number % 20}"}} for row in range(3)]
        table.transact_write_items(
            TransactItems=[{"Update": {**moved, "Key": row}} for row in rows]
        )
        table.get_item(TableName="bench", Key=key, ConsistentRead=True)
        table.query(
            TableName="bench",
            IndexName="by_position",
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": key["pk"]},
        )


def measure(chats, case):
    """Milliseconds of each turn, by store; the stores take turns, and turns at being first."""
    taken = {name: [] for name in chats}
    threads = dict.fromkeys(chats)
    for turn in range(WARM_UP + TURNS):
        for name in list(chats)[:: 1 if turn % 2 else -1]:
            chat = chats[name]
            if case == "new thread":
                seconds, _ = first_token(chat, "Hi")
            else:
                if turn % A_THREAD == 0:
                    _, threads[name] = first_token(chat, "Hi")
                seconds, _ = first_token(chat, "Hi", threads[name])
            if turn >= WARM_UP:
                taken[name].append(seconds * 1000)
    return taken


@contextmanager
def surroundings():
    """The engine and the model; what a server has to know of them."""
    CACHE.mkdir(parents=True, exist_ok=True)
    model = served(OpenAIServer(Say("Hello there.")).app)
    with engine.running(CACHE) as endpoint, model as url:
        table = engine.connect(endpoint)
        create_table(table, "bench")
        warm(table)
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "CHATKIT_COOKIE_KEY": "k" * 32,
            "CHATKIT_TABLE": "bench",
            "CHATKIT_MODEL": "m",
            "OPENAI_BASE_URL": f"{url}/v1",
        }


def worst_ratio(cpus):
    """Measure with the servers on `cpus`, on all of them when empty."""
    place = "a server on a CPU of its own" if cpus else "all on the same CPUs"
    print(
        f"first token, {PAIRS} pairs of servers, {TURNS} turns each way, in turns, {place};\n"
        "  milliseconds, median, and the median of what a turn took to what its neighbour took",
        flush=True,
    )
    turns = {"new thread": [], "existing thread": []}
    with surroundings() as environment:
        for _ in range(PAIRS):
            with ExitStack() as stack:
                chats = {
                    name: Chat(stack.enter_context(server(name, environment, cpus)))
                    for name in ("table", "memory")
                }
                for case in turns:
                    taken = measure(chats, case)
                    turns[case] += zip(taken["table"], taken["memory"], strict=True)
    worst = 0.0
    for case, pairs in turns.items():
        table, memory = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(slow / fast for slow, fast in pairs)
        worst = max(worst, ratio)
        print(
            f"  {case:<16} table {table:6.1f}   memory {memory:6.1f}"
            f"   ratio {ratio:.2f}   bar {BAR}"
        )
    return worst


def main():
    if reason := engine.why_not():
        print(f"first token: not measured, {reason}")
        return 0
    worst = worst_ratio(set())
    if cpus := share_out():
        worst = max(worst, worst_ratio(cpus))
    print("  holds" if worst <= BAR else "  DOES NOT HOLD")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
