"""Starts DynamoDB Local, AWS's own engine, on a free loopback port.

Maven copies the engine and its native libraries into a folder once; Java 17 runs
it in memory. Where either is missing, `why_not` says so, and tests skip by name.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config

POM = Path(__file__).with_name("pom.xml")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
MAIN = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
START_SECONDS = 60
LEAN = ["-XX:+UseSerialGC"]
"""The usual collector works beside the program: time that is taken from what is tested here."""


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


@contextmanager
def running(cache: Path) -> Iterator[str]:
    """The endpoint of an engine that lives as long as the `with` block."""
    folder = libraries(cache)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["java", *LEAN, f"-Djava.library.path={folder}", "-cp", f"{folder}/*", MAIN]
    process = subprocess.Popen(
        [*command, "-inMemory", "-disableTelemetry", "-port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait(endpoint, process)
        yield endpoint
    finally:
        process.terminate()
        process.wait(10)


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
    deadline = time.monotonic() + START_SECONDS
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
