"""How long a visitor waits for the first word: the table against no table at all.

One run, one process, one model that answers at once over real HTTP. Both servers
are the whole product; only the store behind them differs. The engine is DynamoDB
Local, AWS's own; run it with `make bench`.
"""

import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from functions.chat.app import create_app
from functions.settings import Settings, get_settings
from functions.store import create_table
from tests.dynamodb_local import engine
from tests.support.chat import Chat, message
from tests.support.memory_store import MemoryRuns, MemoryStore
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

BAR = 1.3
TURNS = 60
WARM_UP = 10
CACHE = Path(__file__).resolve().parents[2] / ".pytest_cache" / "d" / "dynamodb-local"


def first_token(chat, text, thread=None):
    """Seconds from the request to the answer's first word."""
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


def main():
    if reason := engine.why_not():
        print(f"first token: not measured, {reason}")
        return 0
    model = OpenAIServer(Say("Hello there."))
    with ExitStack() as stack:
        CACHE.mkdir(parents=True, exist_ok=True)
        endpoint = stack.enter_context(engine.running(CACHE))
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local",
            CHATKIT_COOKIE_KEY="k" * 32, CHATKIT_TABLE="bench",
        )  # fmt: skip
        get_settings.cache_clear()
        create_table(engine.connect(endpoint), "bench")
        settings = Settings(
            _env_file=None,
            model="m",
            openai_base_url=stack.enter_context(served(model.app)) + "/v1",
        )
        table = Chat(stack.enter_context(served(create_app(settings))))
        with patch.multiple("functions.services", DynamoDBStore=MemoryStore, Runs=MemoryRuns):
            memory = Chat(stack.enter_context(served(create_app(settings))))

        print(f"first token, {TURNS} turns each way, in turns; milliseconds, median")
        worst = 0.0
        for case in ("new thread", "existing thread"):
            taken = {"table": [], "memory": []}
            threads = {"table": None, "memory": None}
            for turn in range(TURNS + WARM_UP):
                for name, chat in (("table", table), ("memory", memory)):
                    if case == "new thread" or threads[name] is None or turn % 10 == 0:
                        seconds, threads[name] = first_token(chat, "Hi")
                        if case != "new thread":
                            seconds, _ = first_token(chat, "Hi", threads[name])
                    else:
                        seconds, _ = first_token(chat, "Hi", threads[name])
                    if turn >= WARM_UP:
                        taken[name].append(seconds * 1000)
            medians = {name: statistics.median(values) for name, values in taken.items()}
            ratio = medians["table"] / medians["memory"]
            worst = max(worst, ratio)
            print(
                f"  {case:<16} table {medians['table']:6.1f}   memory {medians['memory']:6.1f}"
                f"   ratio {ratio:.2f}   bar {BAR}"
            )
    print("  holds" if worst <= BAR else "  DOES NOT HOLD")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
