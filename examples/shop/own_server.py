"""Starts `server.py` on this machine, for as long as the assistant runs."""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20


class OwnServer:
    """A process with the shop's MCP server, on a free port of this machine."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> str:
        """Start it, and return its address."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "examples.shop.server",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C ends the assistant, and the assistant ends this
        )
        async with asyncio.timeout(START_SECONDS):
            address = (await self._process.stdout.readline()).decode().strip()
        if not address:
            raise RuntimeError("the shop's MCP server did not start")
        return address

    async def end(self) -> None:
        if self._process is not None:
            self._process.stdin.close()  # which it waits for
            await self._process.wait()
            self._process = None
