"""An execution environment: one process and its Runtime API. It is frozen while it is idle."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from infra.emulator.invocation import End, Invocation
from infra.emulator.python_runtime import lay_out
from infra.emulator.runtime_api import RuntimeApi

SHUTDOWN_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL, as Lambda waits for a function with an extension."""


@dataclass(frozen=True)
class Configuration:
    """A function as the template describes it."""

    name: str
    task_root: Path
    """The folder that Lambda mounts at /var/task."""

    handler: str
    wrapper: str | None = None
    """`AWS_LAMBDA_EXEC_WRAPPER` as in the template: a path under /var/task."""

    environment: dict[str, str] = field(default_factory=dict)
    timeout: float = 60
    memory: int = 1769
    concurrency: int = 20
    freeze: bool = True
    snap_start: bool = False
    python: Path | None = None
    """The interpreter that runs the function, without its packages. None: this process's own."""

    packages: tuple[Path, ...] = ()
    """Folders to import from beside the bundle, as a layer adds them."""

    command: tuple[str, ...] = ()
    """Run this instead of the runtime; it stands in for a layer."""

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.name}"


class Environment:
    """Starts its process when it is entered. `output` is everything that the function wrote."""

    def __init__(self, configuration: Configuration, *, echo: bool = False) -> None:
        self.configuration = configuration
        self.output = b""
        self._process: asyncio.subprocess.Process | None = None
        self.api = RuntimeApi(on_idle=self._freeze, on_work=self._thaw)
        self._echo = echo
        self._reading: asyncio.Task[None] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="lambda-")

    async def __aenter__(self) -> Self:
        await self.api.__aenter__()
        command = _command(self.configuration, Path(self._scratch.name))
        self._process = await asyncio.create_subprocess_exec(
            *command,
            env=self._variables(),
            cwd=self.configuration.task_root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.api.__aexit__()
        self._scratch.cleanup()

    @property
    def process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("The environment is not started.")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def run(self, invocation: Invocation) -> None:
        """Hand over an invocation, and return when the runtime polls for the next one.

        At the deadline the process is killed. The invocation then ends with an error, as it
        does when the process ends by itself.
        """
        if not await self.wait_ready():
            error = (self.api.init_error or {}).get("header") or "Runtime.ExitError"
            await invocation.put(End(f"{error}: exit status {self.process.returncode} in init"))
            return
        ended = asyncio.ensure_future(self.process.wait())
        try:
            self.api.ready.clear()
            self.api.give(invocation)
            polled = asyncio.ensure_future(self.api.ready.wait())
            await asyncio.wait(
                {ended, polled},
                timeout=invocation.timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            polled.cancel()
            if self.api.ready.is_set():
                return
            if ended.done():
                error = f"Runtime.ExitError: exit status {self.process.returncode}"
            else:
                self.signal(signal.SIGKILL)
                error = f"Sandbox.Timedout: Task timed out after {invocation.timeout:.2f} seconds"
            await invocation.put(End(error))
        finally:
            ended.cancel()

    async def wait_ready(self) -> bool:
        """Wait for the first poll. False when the process ended instead."""
        ready = asyncio.ensure_future(self.api.ready.wait())
        ended = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        ended.cancel()
        return self.api.ready.is_set()

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL when the process is still there after `SHUTDOWN_GRACE`."""
        if self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), SHUTDOWN_GRACE)
            except TimeoutError:
                self.signal(signal.SIGKILL)
                await self.process.wait()
        if self._reading is not None:
            await self._reading

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and its children (Web Adapter starts the app as a child)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _freeze(self) -> None:
        if self.configuration.freeze and self.alive:
            self.signal(signal.SIGSTOP)

    def _thaw(self) -> None:
        if self.configuration.freeze and self.alive:
            self.signal(signal.SIGCONT)

    async def _read(self) -> None:
        stdout = self.process.stdout
        while stdout is not None and (data := await stdout.read(65536)):
            self.output += data
            if self._echo:
                sys.stderr.buffer.write(data)
                sys.stderr.buffer.flush()

    def _variables(self) -> dict[str, str]:
        configuration = self.configuration
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": configuration.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{configuration.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_LAMBDA_INITIALIZATION_TYPE": (
                "snap-start" if configuration.snap_start else "on-demand"
            ),
            **configuration.environment,
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "_HANDLER": configuration.handler,
            "LAMBDA_TASK_ROOT": str(configuration.task_root),
            "LAMBDA_RUNTIME_DIR": self._scratch.name,
            "PYTHONPATH": ":".join([self._scratch.name, *map(str, configuration.packages)]),
        }
        if configuration.wrapper:
            variables["AWS_LAMBDA_EXEC_WRAPPER"] = configuration.wrapper
        return variables


def _command(configuration: Configuration, scratch: Path) -> list[str]:
    """The command that Lambda runs: its interpreter and bootstrap, after the wrapper if any."""
    if configuration.command:
        return list(configuration.command)
    python = lay_out(scratch, configuration.python)
    command = [str(python), str(scratch / "bootstrap.py")]
    if configuration.wrapper:
        wrapper = configuration.wrapper.removeprefix("/var/task/")
        command.insert(0, str(configuration.task_root / wrapper))
    return command
