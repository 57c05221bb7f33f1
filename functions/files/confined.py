"""A process of its own for parsers of files, with limits of time and memory.

A small file may unpack to gigabytes or keep a parser busy for hours, and only a process can be
stopped in any parser.
"""

import os
import subprocess
import sys
from contextlib import suppress
from typing import Final

MEMORY: Final = 768 * 1024 * 1024
"""Bytes of address space for one file. The functions have 1,769 MB."""


def run(module: str, arguments: list[str], data: bytes, seconds: float) -> bytes:
    """What a module, run as a program, writes to standard output for `data` on standard input.

    It returns when the process has ended. It raises `subprocess.CalledProcessError` for another
    exit code than 0, and `subprocess.TimeoutExpired` after `seconds`.
    """
    # `-P`: modules in this folder must not hide those of a library. `-W ignore`: warnings quote
    # the file. The environment has no secret. Lambda's Python needs the last variable to find its
    # own library.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"}
    environment |= {n: os.environ[n] for n in ("LD_LIBRARY_PATH",) if n in os.environ}
    done = subprocess.run(  # noqa: S603 - the arguments are our own
        [sys.executable, "-P", "-W", "ignore", "-m", module, *arguments],
        input=data,
        capture_output=True,
        env=environment,
        timeout=seconds,
        check=True,
    )
    return done.stdout


def limit(cpu_seconds: int, memory: int) -> None:
    """Limit this process: seconds of processor time, and bytes of address space."""
    import resource  # noqa: PLC0415 - for such a process only, and Windows has none

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    with suppress(ValueError):  # macOS does not limit address space
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
