"""`make dev` as a person runs it: a process on a free port, ended as Ctrl-C ends it."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.assistants import FOLDER, SAMPLE
from tests.support.log_watch import found_in
from tests.support.shared import Shared

ROOT = Path(__file__).resolve().parents[2]
READY_TIMEOUT = 180.0
GONE_TIMEOUT = 10.0

HIDDEN = ("OPENAI_", "GEMINI_", "AZURE_OPENAI_", "CHATKIT_", "AWS_")
"""How settings of the person who runs the tests begin. The tests must not depend on them."""

WITH_SAMPLE = {**SAMPLE, "PYTHONPATH": str(FOLDER)}
STARTER = {"CHATKIT_ASSISTANT": ""}
"""For `Dev`: run the starter, whatever it is."""


class Dev:
    """A running `make dev` with the sample as its assistant, or with the one that is named.

    `output()` is what it has printed so far. Its `folder`, by default a new one, keeps its state.
    """

    def __init__(
        self, target="dev", *, root=ROOT, printed=None, folder=None, port=None, **environment
    ):
        self._own_folder = None if folder else tempfile.TemporaryDirectory()
        folder = folder or self._own_folder.name
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
        self._printed = (printed.open if printed else tempfile.TemporaryFile)("w+b")
        self.process = subprocess.Popen(
            ["make", target],
            cwd=root,
            env={
                **inherited,
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "CHATKIT_LOCAL_DIR": str(folder),
                **WITH_SAMPLE,
                **environment,
            },
            stdout=self._printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self):
        return self.wait_until_ready()

    def __exit__(self, *_):
        self.end()
        printed = self.output()
        self._printed.close()
        assert found_in(printed) == []

    def output(self):
        return os.pread(self._printed.fileno(), 1_000_000, 0).decode()

    def wait_until_ready(self):
        try:
            self.wait_until(self._answers)
        except BaseException:
            self.end()
            raise
        return self

    def wait_until(self, condition):
        deadline = time.monotonic() + READY_TIMEOUT
        while not condition():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def _answers(self):
        try:
            healthy = httpx2.get(f"{self.url}/chatkit/health", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False
        return healthy and "Ctrl-C" in self.output()

    def end(self):
        """Ctrl-C: the terminal sends SIGINT to everything in the foreground."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(timeout=30)
        if self._own_folder:
            self._own_folder.cleanup()

    def wait_until_gone(self):
        """Wait until none of its processes is left. Python's resource tracker ends last."""
        deadline = time.monotonic() + GONE_TIMEOUT
        while left_over := self._left_over():
            assert time.monotonic() < deadline, left_over
            time.sleep(0.05)

    def _left_over(self):
        """Processes of its group that are still there."""
        alive = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat[2]) == self.process.pid and stat[0] != "Z":
                alive.append((folder / "cmdline").read_text().replace("\0", " "))
        return alive


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Running:
    """A `make dev` or `make lambda` that all workers of a test run share."""

    url: str
    printed: Path

    def output(self):
        return self.printed.read_text()


def of_the_run(shared: Shared, target: str) -> Running:
    printed = shared.folder / f"{target}.txt"

    def begin():
        # A folder of its own would go with `Dev`, which this server outlives.
        state = shared.folder / f"{target}-state"
        started = Dev(target, printed=printed, folder=state).wait_until_ready()
        return {"pid": started.process.pid, "url": started.url}

    return Running(shared.once(target, begin)["url"], printed)
