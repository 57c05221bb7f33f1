"""Passes events to a function's handler in a process of its own, and looks for what is left over.

    python -m tests.support.invocations MODULE

reads the events as a JSON list from standard input and writes a report to standard output. `MODULE`
has the `handler` and its event loop, `_loop`.
"""

import asyncio
import gc
import importlib
import itertools
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMES = 200


async def statuses_without_leaks(module, events):
    """Invoke the handler `TIMES` times. Returns the status of the last answer to each event."""
    assert TIMES % len(events) == 0
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, module),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    answer, _ = await child.communicate(json.dumps(events).encode())
    seen = json.loads(answer)
    assert seen["after"]["tasks"] == 0
    assert seen["after"]["threads"] <= seen["before"]["threads"]
    assert seen["after"]["files"] <= seen["before"]["files"]
    # A leak of one small object per invocation would be 200.
    assert seen["after"]["objects"] - seen["before"]["objects"] < TIMES / 2
    return seen["statuses"]


def resources(loop):
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks(loop)),
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "objects": len(gc.get_objects()),
    }


def run(handler, events, times):
    """Invokes the handler `times` times. Returns the status of the last call with each event."""
    answers = [
        handler(event, None).get("statusCode")
        for event in itertools.islice(itertools.cycle(events), times)
    ]
    return answers[-len(events) :]


def main():
    from functions.aws import clients

    # One thread and one connection per service, so that their number is always the same.
    clients.POOL = 1
    module = importlib.import_module(sys.argv[1])
    logging.disable(logging.WARNING)
    events = json.load(sys.stdin)
    run(module.handler, events, 60)  # until everything that is created on first use exists
    before = resources(module._loop)
    statuses = run(module.handler, events, TIMES)
    report = {"statuses": statuses, "before": before, "after": resources(module._loop)}
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
