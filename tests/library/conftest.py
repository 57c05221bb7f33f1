"""The library as others get it, and an AWS for it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from infra.bundling.bytecode import uv
from tests.library.installation import ROOT, Installation, run


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(uv(), "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def aws() -> Iterator[dict[str, str]]:
    """Variables that lead to an AWS on this machine, and a setting that the app refuses."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "NO_PROXY": host,
        "no_proxy": host,
        "CHATKIT_AUTH": "none",
    }
    server.stop()


@pytest.fixture(scope="session", params=["lowest-direct", "highest"])
def installed(request, wheel, tmp_path_factory) -> Iterator[Installation]:
    """With the lowest, and with the newest versions that the library allows."""
    folder = tmp_path_factory.mktemp(request.param)
    yield Installation.of(wheel, folder, request.param)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def seen(installed, aws) -> dict[str, Any]:
    """What the program saw, which created the table and the bucket first."""
    return installed.program(aws)
