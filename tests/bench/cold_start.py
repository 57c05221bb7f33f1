"""Cold start: from starting the process to its first poll of the Runtime API.

    python -m tests.bench.cold_start [ROUNDS]

The streaming function's host bundle is compared with the imports that it needs in any case
(`chatkit.agents, fastapi, boto3`, from the same bundle, with byte-code and without garbage
collection), and with the same bundle without byte-code: medians of one run, alternating.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from infra.bundle import build
from infra.emulator.environment import Environment
from infra.emulator.project import chat_configuration
from infra.emulator.python_runtime import lay_out

# The process ends with its imports, without cleaning up.
BARE = "import gc, os; gc.disable(); import chatkit.agents, fastapi, boto3; os._exit(0)"
MAX_TO_BARE = 1.10
MAX_TO_PLAIN = 0.55
MAX_BYTES = 110_000_000


async def first_poll(task_root: Path, **variables: str) -> float:
    """Seconds of a start from `task_root`."""
    configuration = chat_configuration(task_root, {"CHATKIT_COOKIE_KEY": "0" * 64, **variables})
    environment = Environment(replace(configuration, freeze=False))
    before = time.perf_counter()
    async with environment:
        assert await environment.wait_ready(), environment.output.decode()
        return time.perf_counter() - before


async def bare_imports(task_root: Path) -> float:
    """Seconds that an interpreter takes for the imports alone."""
    with tempfile.TemporaryDirectory() as scratch:
        python = lay_out(Path(scratch), None)
        before = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            python, "-c", BARE, env={"PYTHONPATH": str(task_root), "PATH": os.environ["PATH"]}
        )
        assert await process.wait() == 0
        return time.perf_counter() - before


async def main(rounds: int) -> bool:
    bundle = build("chat", host=True)
    size = sum(path.lstat().st_size for path in bundle.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain"
        shutil.copytree(bundle, plain, ignore=shutil.ignore_patterns("__pycache__"))
        taken: dict[str, list[float]] = {"function": [], "bare imports": [], "no byte-code": []}
        for number in range(rounds + 1):
            seconds = {
                "function": await first_poll(bundle),
                "bare imports": await bare_imports(bundle),
                "no byte-code": await first_poll(plain, PYTHONDONTWRITEBYTECODE="1"),
            }
            if number:  # the first round warms the page cache
                for name, value in seconds.items():
                    taken[name].append(value)
    median = {name: statistics.median(values) for name, values in taken.items()}
    for name, values in taken.items():
        print(f"{name:>14}: {median[name]:.2f} s  (best {min(values):.2f}, {len(values)} rounds)")
    return all(
        [
            bar("of the bare imports", median["function"] / median["bare imports"], MAX_TO_BARE),
            bar("of no byte-code", median["function"] / median["no byte-code"], MAX_TO_PLAIN),
            bar("MB of bundle", size / 1e6, MAX_BYTES / 1e6),
        ]
    )


def bar(what: str, measured: float, at_most: float) -> bool:
    holds = measured <= at_most
    print(f"{'holds' if holds else 'FAILS'}: {measured:.2f} {what}, at most {at_most:.2f}")
    return holds


if __name__ == "__main__":
    sys.exit(not asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)))
