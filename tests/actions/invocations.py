"""Passes events to the handler in a separate process, and reports what is left over.

Reads the events as a JSON list from standard input, and writes the report to standard output.
"""

import asyncio
import gc
import itertools
import json
import logging
import sys
import threading
from pathlib import Path

from functions.actions import handler
from functions.aws import clients

# One thread and one connection per service, so that their number is always the same.
clients.POOL = 1


def resources():
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks(handler._loop)),
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "objects": len(gc.get_objects()),
    }


def run(events, times):
    """Invokes the handler `times` times. Returns the status of the last call with each event."""
    answers = [
        handler.handler(event, None).get("statusCode")
        for event in itertools.islice(itertools.cycle(events), times)
    ]
    return answers[-len(events) :]


logging.disable(logging.WARNING)
EVENTS = json.load(sys.stdin)
run(EVENTS, 60)  # until everything that is created on first use exists
before = resources()
statuses = run(EVENTS, 201)
json.dump({"statuses": statuses, "before": before, "after": resources()}, sys.stdout)
