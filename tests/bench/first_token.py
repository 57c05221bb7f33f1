"""How long a visitor waits for the first word: with the table, and with a store in memory.

Two servers, each the whole product in a process of its own, with the same model, which answers
at once over real HTTP. Only the store behind them differs. The engine of the table is DynamoDB
Local, AWS's own. Run it with `make bench`.

Measured twice: with all processes on the same CPUs, and with a server on a CPU of its own, as the
function has by default (1,769 MB is one: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
The ratio is reported and no bar: tests/chat/test_chat_round_trips.py holds the round trips.
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

PAIRS = 3
"""Servers of each kind, one pair after the other: two processes of one kind differ by 5 %."""
TURNS = 60
WARM_UP = 20
ENGINE_WARM_UP = 2500
"""Calls of each kind until Java has compiled the engine: a transaction takes 6 ms of CPU before,
and 2.5 ms afterwards.
"""
A_THREAD = 10
"""Turns in one thread before the next is begun."""
CACHE = Path(__file__).resolve().parents[2] / ".pytest_cache" / "d" / "dynamodb-local"


def first_token(chat, text, thread=None):
    """Seconds from the request to the answer's first word, and the thread's id as parameters."""
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
    """Keep this process, and those it starts from now on, off one CPU, and return that one."""
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
    """Make the engine as fast as it gets: AWS's engine has long been running."""
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
    """Milliseconds of each turn, by store. The stores alternate, and so does which one is first."""
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
    """Start the engine and the model, and yield a server's environment variables for them."""
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


def report(cpus):
    """Measure with the servers on `cpus`, on all of them when empty."""
    place = "a server on a CPU of its own" if cpus else "all on the same CPUs"
    print(
        f"first token, {PAIRS} pairs of servers, {TURNS} turns each way, alternating, {place};\n"
        "  median milliseconds, and the median of the ratio between neighbouring turns",
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
    for case, pairs in turns.items():
        table, memory = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(slow / fast for slow, fast in pairs)
        print(f"  {case:<16} table {table:6.1f}   memory {memory:6.1f}   ratio {ratio:.2f}")


def main():
    if reason := engine.why_not():
        print(f"first token: not measured, {reason}")
        return
    report(set())
    if cpus := share_out():
        report(cpus)


if __name__ == "__main__":
    main()
