"""What all workers of a test run share, because it takes seconds to make: servers, templates.

The first test that needs a thing makes it. The run's main process ends the processes.
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
    """What was made in one run, described in a folder that every worker knows."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="shared-"))

    def once(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` returned in the worker that came first; it is kept as JSON.

        A `pid` in it is the leader of a process group, which the end of the run terminates.
        """
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = self.folder / f"{name}.json"
            if not made.exists():
                made.write_text(json.dumps(make()))
            return json.loads(made.read_text())

    def end(self) -> None:
        for made in self.folder.glob("*.json"):
            with contextlib.suppress(KeyError, ProcessLookupError):
                os.killpg(json.loads(made.read_text())["pid"], signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)
