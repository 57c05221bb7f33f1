"""`make dev` as a person runs it: a process on a free port, ended as Ctrl-C ends it."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx2

from tests.assistants import FOLDER, SAMPLE

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 180.0

HIDDEN = ("OPENAI_", "GEMINI_", "CHATKIT_", "AWS_")
"""Settings of whoever runs the tests are none of the tests' business."""


WITH_SAMPLE = {**SAMPLE, "PYTHONPATH": str(FOLDER)}
STARTER = {"CHATKIT_ASSISTANT": ""}
"""For `Dev`: run the starter, whatever it is."""


class Dev:
    """A running `make dev` with the sample as its assistant, or with the one that is named.

    `output()` is what it has printed so far.
    """

    def __init__(self, target="dev", **environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
        self._printed = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            ["make", target],
            cwd=ROOT,
            env={**inherited, "HOST": "127.0.0.1", "PORT": str(port), **WITH_SAMPLE, **environment},
            stdout=self._printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self):
        try:
            self.wait_until(self._answers)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        self._printed.close()

    def output(self):
        return os.pread(self._printed.fileno(), 1_000_000, 0).decode()

    def wait_until(self, condition):
        deadline = time.monotonic() + READY_WITHIN
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

    def left_over(self):
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
