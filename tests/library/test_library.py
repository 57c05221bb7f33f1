"""In a server of somebody else's, the wheel does what the README says."""

import asyncio
import json
import stat
import subprocess
import sys
import zipfile

import httpx2
import pytest

from functions import VERSION
from infra.bundling.bytecode import uv
from infra.emulator.environment import Configuration
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.server import Server
from tests.library.installation import run

MESSAGE = {
    "content": [{"type": "input_text", "text": "Hi"}],
    "attachments": [],
    "inference_options": {},
}
REQUEST = {"type": "threads.create", "params": {"input": MESSAGE}}


def test_a_server_of_ones_own_keeps_threads_and_files_whatever_the_apps_settings_say(seen, aws):
    assert aws["CHATKIT_AUTH"] == "none"  # which the app refuses
    assert seen["items"] == ["user_message", "assistant_message"]
    assert seen["said"] == "Hello!"
    assert seen["file"] == "What a person attached."
    assert seen["threads"] == 1
    assert seen["threads of another user"] == 0


def test_the_plain_server_of_the_docs_keeps_what_clients_leave_and_refuses_before_a_stream(
    installed, seen, aws
):
    saw = installed.program(aws, "leaving.py")
    kept = ["user_message", "assistant_message", "sdk_hidden_context"]
    assert saw == {
        "kept": [kept] * 8,
        "said": "Once upon a time",
        "thumbs": ["positive"],
        "too large": 413,
        "an unknown file": 404,
        "an unknown item": 404,
    }


def test_each_module_can_be_imported_beside_another_package_called_functions(seen):
    assert {"tool", "Turn", "action", "Document"} <= set(seen["toolkit"])
    assert seen["functions"] == "somebody else"
    assert seen["loaded functions"] == []


def test_a_type_checker_sees_the_types_of_the_installed_library(installed, tmp_path):
    mistaken = tmp_path / "mistaken.py"
    mistaken.write_text("from chatkit_serverless.store import DynamoDBStore\nDynamoDBStore(7)\n")
    mypy = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    done = subprocess.run(
        [*mypy, "--ignore-missing-imports", "--python-executable", installed.python, mistaken],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'Argument 1 to "DynamoDBStore" has incompatible type "int"' in done.stdout, done
    assert "Found 1 error" in done.stdout


@pytest.fixture
async def gate():
    """A port, and an event that lets go of whoever connects to it."""
    opened = asyncio.Event()

    async def hold(_, writer):
        await opened.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], opened


async def test_lambda_stream_sends_a_message_of_such_a_server_before_the_next_exists(
    installed, seen, aws, gate
):
    port, opened = gate
    package = installed.packages / "chatkit_serverless"  # as in a layer: beside the function
    configuration = Configuration(
        name="library",
        task_root=installed.task,
        handler="gated.app",
        wrapper=str(package / "lambda_stream" / "bootstrap"),
        environment={**aws, "GATE_PORT": str(port)},
    )
    said = []
    async with (
        Function(configuration) as function,
        Server(FunctionUrl(function, streaming=True).handle) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client,
        client.stream("POST", "/chatkit", json=REQUEST) as answer,
    ):
        async for line in answer.aiter_lines():
            event = json.loads(line.removeprefix("data: ") or "{}")
            if event.get("item", {}).get("type") == "assistant_message":
                said.append(event["item"]["content"][0]["text"])
                opened.set()
        assert answer.headers["content-type"].startswith("text/event-stream")
    assert said == ["Hello!", "Hello!"]


def test_the_wheel_holds_the_library_and_none_of_the_app(wheel):
    names = {name.removeprefix("chatkit_serverless/") for name in zipfile.ZipFile(wheel).namelist()}
    assert wheel.name.startswith(f"chatkit_serverless-{VERSION}-")
    assert {
        "py.typed", "store/dynamodb.py", "server/mixin.py", "attachments/s3.py", "toolkit/tools.py",
        "lambda_stream/bootstrap", "context.py", "errors.py", "settings.py", "telemetry.py",
    } <= names  # fmt: skip
    rooms = {name.partition("/")[0] for name in names if "/" in name and ".dist-info" not in name}
    assert rooms == {
        "attachments", "aws", "files", "knowledge", "lambda_stream", "limits", "llm", "mcp",
        "server", "store", "toolkit",
    }  # fmt: skip


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_the_start_wrapper_is_executable_where_it_is_installed(wheel, installer, tmp_path):
    pip = [uv(), "pip"] if installer == "uv" else [sys.executable, "-m", "pip"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path, wheel)
    wrapper = tmp_path / "chatkit_serverless" / "lambda_stream" / "bootstrap"
    assert stat.S_IMODE(wrapper.stat().st_mode) & 0o111 == 0o111
