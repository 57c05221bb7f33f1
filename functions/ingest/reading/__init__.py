"""Documents as titled blocks of text: one module for each type of file.

A process of its own reads each document, with limits of time and memory, because a small file may
unpack to gigabytes or keep a parser busy for hours.
"""

import json
import signal
import subprocess
from pathlib import PurePosixPath
from typing import Final

from ...files import confined
from .blocks import Block, Read, UnreadableError

__all__ = ["MAX_BYTES", "Block", "Read", "UnreadableError", "read"]

MAX_BYTES: Final = 100_000_000
"""Of a file. Larger ones need not be fetched."""

CPU_SECONDS: Final = 100
"""Processor time for one document."""
MAX_SECONDS: Final = 120
"""The same in time that passes, for a machine that is busy."""

MEMORY: Final = confined.MEMORY
"""Bytes of address space for one document."""

_TOO_LONG: Final = "It takes too long to be read. Divide it, or save it again with another program."


def read(data: bytes, name: str) -> Read:
    """The text of a document. `name` is its path or the name of its file; the ending says what type
    it claims to be.

    It starts a process, and returns when that has ended, after `MAX_SECONDS` at most: call it in a
    thread. It raises `UnreadableError` for a document that cannot be read, and
    `subprocess.CalledProcessError` when the process fails for a reason that is not the document's.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"It has more than {MAX_BYTES // 1_000_000} MB. Divide it.")
    arguments = [PurePosixPath(name).name, str(CPU_SECONDS), str(MEMORY)]
    try:
        told = json.loads(confined.run(f"{__name__}.program", arguments, data, MAX_SECONDS))
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(_TOO_LONG) from error
    except subprocess.CalledProcessError as error:
        if error.returncode not in {-signal.SIGXCPU, -signal.SIGKILL}:
            raise
        # The kernel ends a process with the one or the other when its processor time is over.
        raise UnreadableError(_TOO_LONG) from error
    if "reason" in told:
        raise UnreadableError(told["reason"])
    return Read(told["title"], [Block(**block) for block in told["blocks"]])
