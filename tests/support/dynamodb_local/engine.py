"""Starts DynamoDB Local, AWS's own engine, on a free loopback port.

Maven copies the engine and its native libraries into a folder once. Java 17 runs
it in memory. Where Maven or Java is missing, `why_not` says so, and tests are skipped.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.support.shared import Shared

POM = Path(__file__).with_name("pom.xml")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
MAIN = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
START_TIMEOUT = 60
OPTIONS = ["-XX:+UseSerialGC"]
"""The default garbage collector uses threads of its own, on the CPUs that the tests need."""


def why_not() -> str | None:
    """Why the engine cannot run here; `None` when it can."""
    missing = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"DynamoDB Local needs {' and '.join(missing)} on the path" if missing else None


def libraries(cache: Path) -> Path:
    """The folder of jars and native libraries, filled by Maven on first use."""
    done = cache / POM.read_text(encoding="utf-8").split("<version>")[2].split("<")[0]
    if not done.exists():
        subprocess.run(
            ["mvn", "-q", "-B", "-f", POM, COPY, f"-DoutputDirectory={cache}"],
            check=True,
            timeout=300,
        )
        done.touch()
    return cache


def start(cache: Path) -> tuple[subprocess.Popen, str]:
    """A new engine, in a process group of its own, and its endpoint."""
    folder = libraries(cache)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["java", *OPTIONS, f"-Djava.library.path={folder}", "-cp", f"{folder}/*", MAIN]
    process = subprocess.Popen(
        [*command, "-inMemory", "-disableTelemetry", "-port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait(endpoint, process)
    except BaseException:
        end(process)
        raise
    return process, endpoint


def end(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(10)


@contextmanager
def running(cache: Path) -> Iterator[str]:
    """The endpoint of an engine that runs as long as the `with` block."""
    process, endpoint = start(cache)
    try:
        yield endpoint
    finally:
        end(process)


def of_the_run(shared: Shared, cache: Path) -> str:
    """The endpoint of the engine that all workers of a test run share."""

    def begin() -> dict[str, Any]:
        process, endpoint = start(cache)
        return {"pid": process.pid, "endpoint": endpoint}

    return shared.once("dynamodb-local", begin)["endpoint"]


def connect(endpoint: str, service: str = "dynamodb"):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(max_pool_connections=32, retries={"total_max_attempts": 1}),
    )


def _wait(endpoint: str, process: subprocess.Popen) -> None:
    client = connect(endpoint)
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            client.list_tables()
        except Exception:
            if process.poll() is not None:
                raise RuntimeError(f"DynamoDB Local ended with {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
