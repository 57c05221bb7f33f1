"""Processes that all workers of a test run share: an engine or a server takes seconds to start.

The first test that needs a process starts it. The run's main process ends them all.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Shared:
    """The processes of one run, described in a folder that every worker knows."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="shared-"))

    def once(self, name: str, start: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `start` returned in the worker that came first.

        It is kept as JSON. Its `pid` is the leader of a process group of its own.
        """
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            started = self.folder / f"{name}.json"
            if not started.exists():
                started.write_text(json.dumps(start()))
            return json.loads(started.read_text())

    def end(self) -> None:
        for started in self.folder.glob("*.json"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(json.loads(started.read_text())["pid"], signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)
