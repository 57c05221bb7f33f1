"""SnapStart: the hooks before and after the snapshot, and new random numbers after it."""

import pytest

from infra.emulator import events
from infra.emulator.environment import Environment
from infra.emulator.invocation import End, Invocation

APP = """
import random
from snapshot_restore_py import register_after_restore, register_before_snapshot

CALLS = []
DRAWN = random.Random(1)
random.seed(1)
register_before_snapshot(lambda: CALLS.append("before 1"))
register_before_snapshot(CALLS.append, "before 2")
register_after_restore(CALLS.append, "after 1")
register_after_restore(lambda: CALLS.append("after 2"))

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        CALLS.append("startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    same = random.random() == DRAWN.random()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{CALLS} {same}".encode()})
"""


@pytest.fixture
def environment_for(deploy, write_app):
    async def make(source: str) -> Environment:
        async with deploy("written.app", root=write_app(source), snap_start=True) as deployed:
            return Environment(deployed.function.configuration)

    return make


async def test_hooks_run_in_order_and_the_app_starts_after_restore(environment_for):
    async with await environment_for(APP) as environment:
        environment.api.restored.set()
        assert await environment.wait_ready()
        invocation = Invocation(events.get("/"), 10, "arn")
        await environment.run(invocation)
        parts = []
        while not isinstance(part := await invocation.answer.get(), End):
            parts.append(part)
    body = b"".join(parts[1:]).partition(bytes(8))[2].decode()
    calls = ["before 2", "before 1", "after 1", "after 2", "startup"]
    assert body == f"{calls} False"


async def test_a_hook_that_fails_before_the_snapshot_is_an_init_error(environment_for):
    failing = APP + "\nregister_before_snapshot(lambda: 1 / 0)\n"
    async with await environment_for(failing) as environment:
        assert not await environment.wait_ready()
        assert environment.api.init_error["header"] == "Runtime.BeforeSnapshotError"
        assert environment.process.returncode == 64


async def test_a_hook_that_fails_after_restore_is_a_restore_error(environment_for):
    failing = APP + "\nregister_after_restore(lambda: 1 / 0)\n"
    async with await environment_for(failing) as environment:
        environment.api.restored.set()
        assert not await environment.wait_ready()
        assert environment.api.restore_error["header"] == "Runtime.AfterRestoreError"
        assert environment.api.restore_error["errorType"] == "ZeroDivisionError"
        assert environment.process.returncode == 65
