"""The cost of streaming: `lambda_stream` against uvicorn, and against Lambda Web Adapter.

    python -m tests.bench.streaming [ROUNDS]

All serve one app, alternating in one run. The time to the first byte is wall-clock time from
handing over the request until its first event is there, as a median. The cost of an event is the
processor time that the function's processes use for 5,000 of them, minus that of the app alone,
so that a busy machine measures the same. Web Adapter is measured when `lambda-adapter` is on the
path (`cargo install lambda_web_adapter`).
"""

import asyncio
import os
import shutil
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from functions.settings import ROOT
from infra.emulator import events
from infra.emulator.environment import Configuration, Environment
from infra.emulator.invocation import Begin, End, Invocation
from tests.bench import events_app

EVENTS = 5_000
MAX_EVENT_US = 25
MAX_FIRST_BYTE_MS = 5
Answer = Callable[[int], Awaitable[float]]
"""Takes a number of events. Waits for all, and returns the seconds until the first one."""


@asynccontextmanager
async def in_lambda(command: tuple[str, ...] = ()) -> AsyncIterator[tuple[int, Answer]]:
    """Yields the process group of a function on the emulated Runtime API, and its `Answer`."""
    configuration = Configuration(
        name="bench",
        task_root=ROOT,
        handler="tests.bench.events_app.app",
        wrapper="/var/task/functions/lambda_stream/bootstrap",
        command=command,
        freeze=False,
    )
    async with Environment(configuration) as environment:
        assert await environment.wait_ready(), environment.output.decode()

        async def answer(count: int) -> float:
            invocation = Invocation(events.get(f"/?{count}"), 60, configuration.arn)
            before = time.perf_counter()
            running = asyncio.create_task(environment.run(invocation))
            received = b""
            while not (isinstance(part := await invocation.answer.get(), bytes)):
                assert isinstance(part, Begin), part
            received = part
            while b"data: " not in received:
                received += await invocation.answer.get()
            first = time.perf_counter() - before
            size = len(received.partition(bytes(8))[2])
            while not isinstance(part := await invocation.answer.get(), End):
                size += len(part)
            assert part.error is None, part
            assert size == count * len(events_app.EVENT), size
            await running
            return first

        yield environment.pid, answer


@asynccontextmanager
async def under_uvicorn() -> AsyncIterator[tuple[int, Answer]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(*uvicorn(port), cwd=ROOT, start_new_session=True)
    await _listening(port)

    async def answer(count: int) -> float:
        before = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /?%d HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n" % count)
        await reader.readuntil(b"data: ")
        first = time.perf_counter() - before
        while await reader.read(65_536):
            pass
        writer.close()
        return first

    try:
        yield process.pid, answer
    finally:
        process.terminate()
        await process.wait()


def uvicorn(port: int) -> tuple[str, ...]:
    command = f"{sys.executable} -m uvicorn tests.bench.events_app:app --port {port}"
    return (*command.split(), "--log-level", "warning", "--no-access-log")


def behind_web_adapter(adapter: str, port: int) -> tuple[str, ...]:
    """A command that starts app and adapter in one process group, as the layer does."""
    variables = f"AWS_LWA_PORT={port} AWS_LWA_INVOKE_MODE=response_stream"
    return ("sh", "-c", f"{' '.join(uvicorn(port))} & {variables} exec {adapter}")


async def main(rounds: int) -> bool:
    contenders: dict[str, tuple[int, Answer]] = {}
    async with AsyncExitStack() as stack:
        contenders["lambda_stream"] = await stack.enter_async_context(in_lambda())
        contenders["uvicorn"] = await stack.enter_async_context(under_uvicorn())
        if adapter := shutil.which("lambda-adapter"):
            command = behind_web_adapter(adapter, free_port())
            contenders["web adapter"] = await stack.enter_async_context(in_lambda(command))
        else:
            print("no lambda-adapter on the path: measured without it")
        first: dict[str, list[float]] = {name: [] for name in contenders}
        event: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(rounds + 1):
            for name, (group, answer) in contenders.items():
                once = [await answer(1) for _ in range(20)]
                before = processor_seconds(group)
                await answer(EVENTS)
                used = processor_seconds(group) - before - await app_alone()
                if number:  # the first round warms up
                    first[name] += once
                    event[name].append(used / EVENTS * 1e6)
    for name in contenders:
        print(
            f"{name:>14}: first byte {statistics.median(first[name]) * 1e3:5.2f} ms, "
            f"{statistics.median(event[name]):5.1f} µs an event above the app"
        )
    later = statistics.median(first["lambda_stream"]) - statistics.median(first["uvicorn"])
    return all(
        [
            bar("µs an event", statistics.median(event["lambda_stream"]), MAX_EVENT_US),
            bar("ms to the first byte after uvicorn's", later * 1e3, MAX_FIRST_BYTE_MS),
        ]
    )


def processor_seconds(group: int) -> float:
    """Processor time of all threads in a process group so far."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                for thread in (process / "task").iterdir():
                    total += int((thread / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


async def app_alone() -> float:
    """Processor seconds of the app with a `send` that does nothing."""

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        pass

    before = time.process_time()
    scope = {"type": "http", "query_string": str(EVENTS).encode()}
    await events_app.app(scope, receive, send)
    return time.process_time() - before


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _listening(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def bar(what: str, measured: float, at_most: float) -> bool:
    holds = measured <= at_most
    print(f"{'holds' if holds else 'FAILS'}: {measured:.2f} {what}, at most {at_most:.2f}")
    return holds


if __name__ == "__main__":
    sys.exit(not asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)))
