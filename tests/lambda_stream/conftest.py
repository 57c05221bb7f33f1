"""Small ASGI apps as Lambda functions, behind the emulator's Function URL."""

import shutil
import sysconfig
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from infra.emulator.environment import Configuration
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.server import Server

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass
class Deployed:
    function: Function
    http: httpx2.AsyncClient
    url: str

    @property
    def environment(self):
        return self.function.environments[0]

    @property
    def output(self) -> str:
        return b"".join(e.output for e in self.function.environments).decode()


@pytest.fixture(scope="session")
def task_root(tmp_path_factory) -> Path:
    """The content of /var/task: `lambda_stream`, and the app of the tests."""
    root = tmp_path_factory.mktemp("task")
    package = root / "functions" / "lambda_stream"
    shutil.copytree(ROOT / "functions" / "lambda_stream", package)
    (root / "functions" / "__init__.py").touch()
    shutil.copy(HERE / "stream_app.py", root)
    return root


@pytest.fixture
def deploy(task_root) -> Callable[..., AsyncIterator[Deployed]]:
    """`async with deploy(handler="stream_app.app") as deployed` starts a function and its URL."""

    @asynccontextmanager
    async def deployed(handler: str = "stream_app.app", **options) -> AsyncIterator[Deployed]:
        configuration = Configuration(
            name="stream",
            task_root=options.pop("root", task_root),
            handler=handler,
            wrapper="/var/task/functions/lambda_stream/bootstrap",
            packages=(Path(sysconfig.get_path("purelib")),),
            **options,
        )
        async with (
            Function(configuration) as function,
            Server(FunctionUrl(function, streaming=True).handle) as server,
            httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as client,
        ):
            yield Deployed(function, client, server.url)

    return deployed


@pytest.fixture
def write_app(task_root, tmp_path) -> Callable[[str], SimpleNamespace]:
    """`write_app(source)` returns a task root with that app as `written.py`."""

    def write(source: str) -> Path:
        root = tmp_path / "task"
        shutil.copytree(task_root, root)
        (root / "written.py").write_text(source)
        return root

    return write
