"""What a session of an owner adds to a call (`isolation=session`).

    python -m tests.bench.owner_sessions [CALLS]

Reads one row of moto's table: with the process's own credentials, for an owner whom the process
knows, and for owners whom it does not know, which adds a request to STS. moto answers in this
machine's time, so this shows what our code and boto3 add, and not what AWS takes.
"""

import asyncio
import logging
import os
import statistics
import sys
import time
from collections.abc import Iterator

from moto.server import ThreadedMotoServer

from functions.aws import client, owner_sessions
from functions.settings import forget_settings
from functions.store import Table, create_table, keys

TABLE = "sessions"


async def timed(table: Table, owners: Iterator[str], calls: int) -> float:
    """The median of a read, in milliseconds."""
    took = []
    for _ in range(calls):
        user = next(owners)
        with owner_sessions.acting_for(user):
            began = time.perf_counter()
            await table.get(keys.thread_key(user, "thr_1"))
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def measure(calls: int) -> None:
    known = iter(lambda: "anon_known", None)
    new = (f"anon_{number}" for number in range(10**6))
    own, owners = Table(TABLE, nobodys=True), Table(TABLE)
    for name, table, users in (
        ("the process's own", own, known),
        ("a known owner", owners, known),
        ("an unknown owner", owners, new),
    ):
        await timed(table, users, 5)  # connections, and the imports of moto
        sys.stdout.write(f"{name:20} {await timed(table, users, calls):8.2f} ms\n")


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a log line for each request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "CHATKIT_DATA_ROLE": "arn:aws:iam::123456789012:role/data",
    }
    forget_settings()
    create_table(client("dynamodb"), TABLE)
    asyncio.run(measure(calls))
    server.stop()


if __name__ == "__main__":
    main()
