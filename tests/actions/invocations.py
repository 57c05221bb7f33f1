"""Runs events through the handler in a process of its own, and says what is left standing.

Events come as a JSON list on the standard input, the findings go to the output.
"""

import asyncio
import gc
import itertools
import json
import logging
import sys
import threading
from pathlib import Path

from functions import aws
from functions.actions import handler

aws.POOL = 1  # one thread and one connection a service: no race decides how many there are


def standing():
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks(handler._loop)),
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "objects": len(gc.get_objects()),
    }


def run(events, times):
    """Invokes `times` times, with one event after the other; says how the last ones ended."""
    answers = [
        handler.handler(event, None).get("statusCode")
        for event in itertools.islice(itertools.cycle(events), times)
    ]
    return answers[-len(events) :]


logging.disable(logging.WARNING)
EVENTS = json.load(sys.stdin)
run(EVENTS, 60)  # until everything is there that is made on first use
before = standing()
statuses = run(EVENTS, 201)
json.dump({"statuses": statuses, "before": before, "after": standing()}, sys.stdout)
