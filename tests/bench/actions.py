"""The second function: cold start, and a sync action once it is warm.

    python -m tests.bench.actions [PRESSES]

The host bundle under AWS's own runtime client, behind the emulator's Function URL, is compared
with the same app from the same bundle under uvicorn. Both use one moto in one run; moto takes
most of the time of a press. Then the bench lists the imports by their time. The agents SDK and
the model SDKs must not be among them. What remains is what the first request needs: ChatKit's
types and ours, for which pydantic builds validators on import, FastAPI and botocore.
"""

import asyncio
import logging
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import httpx2

from functions.settings import forget_settings, get_settings
from infra.bundle import build
from infra.emulator.environment import Environment
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.project import actions_configuration
from infra.emulator.python_runtime import lay_out
from infra.emulator.server import Server
from infra.local.cloud import local_cloud
from tests.assistants import FOLDER, SAMPLE
from tests.assistants.sample.features import items
from tests.support.person import KEY, Person
from tests.support.sample import with_sample

STARTS = 5
NEVER = ("agents", "openai", "chatkit.server", "mcp", "av")
IMPORT = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|(\s*)(\S+)")

Variables = dict[str, str]


@asynccontextmanager
async def lambda_url(bundle: Path, variables: Variables) -> AsyncIterator[str]:
    async with (
        Function(with_sample(actions_configuration(bundle, variables))) as function,
        Server(FunctionUrl(function, streaming=False).handle) as server,
    ):
        yield server.url


@asynccontextmanager
async def uvicorn_url(bundle: Path, variables: Variables) -> AsyncIterator[str]:
    """Yields once the app answers."""
    with tempfile.TemporaryDirectory() as scratch:
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            lay_out(Path(scratch), None),
            *("-m", "uvicorn", "functions.actions.app:create_app", "--factory"),
            *("--port", str(port), "--log-level", "warning"),
            env={
                **variables,
                "PYTHONPATH": f"{bundle}{os.pathsep}{FOLDER}",
                "PATH": os.environ["PATH"],
            },
        )
        url = f"http://127.0.0.1:{port}"
        try:
            await answers(url)
            yield url
        finally:
            process.terminate()
            await process.wait()


async def answers(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as http:
        while True:
            try:
                assert (await http.get("/actions/health")).status_code == 200
            except httpx2.TransportError:
                await asyncio.sleep(0.005)
            else:
                return


async def cold_starts(bundle: Path, variables: Variables) -> float:
    """Wall-clock seconds from the start of the process until it can take a request.

    Returns the ratio of the medians, Lambda to uvicorn.
    """
    seconds: dict[str, list[float]] = {"lambda": [], "uvicorn": []}
    configuration = replace(with_sample(actions_configuration(bundle, variables)), freeze=False)
    for number in range(STARTS + 1):
        before = time.perf_counter()
        async with Environment(configuration) as environment:
            assert await environment.wait_ready(), environment.output.decode()
            polled = time.perf_counter() - before
        before = time.perf_counter()
        async with uvicorn_url(bundle, variables):
            answered = time.perf_counter() - before
        if number:  # the first round warms the page cache
            seconds["lambda"].append(polled)
            seconds["uvicorn"].append(answered)
    for name, taken in seconds.items():
        print(f"cold start, {name:>7}: {statistics.median(taken):.2f} s, best {min(taken):.2f} s")
    return ratio(seconds)


async def presses(bundle: Path, variables: Variables, count: int) -> float:
    """Milliseconds of one `threads.sync_custom_action`, over one connection, alternating.

    Returns the ratio of the medians, Lambda to uvicorn.
    """
    async with (
        lambda_url(bundle, variables) as function,
        uvicorn_url(bundle, variables) as uvicorn,
        httpx2.AsyncClient(base_url=function, timeout=30, trust_env=False) as to_function,
        httpx2.AsyncClient(base_url=uvicorn, timeout=30, trust_env=False) as to_uvicorn,
    ):
        people = {"lambda": Person(to_function), "uvicorn": Person(to_uvicorn)}
        cards = {}
        for name, person in people.items():
            kept = await items.add_items(person.documents, ["milk", "bread", "tea"])
            item = await person.shown(await person.thread(), items.card(kept))
            cards[name] = (item, kept[0].id)
        taken: dict[str, list[float]] = {name: [] for name in people}
        for number in range(count + 20):
            for name, person in people.items():
                item, task = cards[name]
                before = time.perf_counter()
                answer = await person.press(item, "item.toggle", {"id": task, "done": number % 2})
                milliseconds = (time.perf_counter() - before) * 1e3
                assert answer.status_code == 200, answer.text
                if number >= 20:
                    taken[name].append(milliseconds)
    for name, times in taken.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"sync action, {name:>7}: p50 {statistics.median(times):.1f} ms, p95 {p95:.1f} ms")
    return ratio(taken)


def ratio(taken: dict[str, list[float]]) -> float:
    return statistics.median(taken["lambda"]) / statistics.median(taken["uvicorn"])


def bar(what: str, measured: float, at_most: float) -> bool:
    holds = measured <= at_most
    print(f"{'holds' if holds else 'FAILS'}: {measured:.2f} {what}, at most {at_most:.2f}")
    return holds


async def imports(bundle: Path, variables: Variables) -> int:
    """Print the time of the imports by package. Returns how many SDKs are among them."""
    modules = "import sys, functions.actions.handler; print(*sys.modules)"
    with tempfile.TemporaryDirectory() as scratch:
        process = await asyncio.create_subprocess_exec(
            lay_out(Path(scratch), None),
            *("-X", "importtime", "-c", modules),
            env={
                **variables,
                "PYTHONPATH": f"{bundle}{os.pathsep}{FOLDER}",
                "PATH": os.environ["PATH"],
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        loaded, report = await process.communicate()
    names = set(loaded.decode().split())
    spent: Counter[str] = Counter()
    for own, _, name in IMPORT.findall(report.decode()):
        spent[name.partition(".")[0]] += int(own)
    total = sum(spent.values())
    for name, micros in spent.most_common(12):
        print(f"  {micros / 1e3:6.0f} ms {micros / total:4.0%}  {name}")
    print(f"  {total / 1e3:6.0f} ms       all {len(names)} modules, with the tracing's own cost")
    return len(names.intersection(NEVER))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def main(count: int) -> bool:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's, one line a request
    os.environ["CHATKIT_TABLE"] = os.environ["CHATKIT_ATTACHMENTS_BUCKET"] = f"b{token_hex(4)}"
    forget_settings()
    bundle = build("actions", host=True)
    with local_cloud(get_settings()) as cloud:
        variables = {**cloud, "CHATKIT_COOKIE_KEY": KEY, **SAMPLE}
        start = await cold_starts(bundle, variables)
        press = await presses(bundle, variables, count)
        sdks = await imports(bundle, variables)
    return all(
        [
            bar("of uvicorn's cold start", start, 1.15),
            bar("of uvicorn's sync action", press, 1.25),
            bar(f"of {', '.join(NEVER)} imported", sdks, 0),
        ]
    )


if __name__ == "__main__":
    sys.exit(not asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
