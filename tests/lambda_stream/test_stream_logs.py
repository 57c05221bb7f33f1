"""Log lines in the formats of Lambda's own Python client, as a new process writes them."""

import json
import os
import subprocess
import sys

import pytest

SOURCE = """
import logging
from functions.lambda_stream import logs
ids = logs.set_up()
ids.current = "r-1"
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("app").exception("dividing %d", 1)
logging.getLogger("app").info("quiet")
"""


def _run(*, pass_fds=(), **environment) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SOURCE],
        env={"PATH": os.environ["PATH"], **environment},
        pass_fds=pass_fds,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == ""
    return done.stdout


def test_json_lines_have_lambdas_field_names():
    (line,) = _run(AWS_LAMBDA_LOG_FORMAT="JSON").splitlines()
    record = json.loads(line)
    assert record["level"] == "ERROR"
    assert record["message"] == "dividing 1"
    assert record["logger"] == "app"
    assert record["requestId"] == "r-1"
    assert record["errorType"] == "ZeroDivisionError"
    assert record["errorMessage"] == "division by zero"
    assert any("1 / 0" in line or "<string>" in line for line in record["stackTrace"])
    assert record["timestamp"].endswith("Z")


def test_text_lines_have_level_time_and_request():
    first, *_ = _run().splitlines()
    level, time, request, message = first.split("\t")
    assert (level, request, message) == ("[ERROR]", "r-1", "dividing 1")
    assert time.endswith("Z")


@pytest.mark.parametrize(("level", "lines"), [("INFO", 2), ("TRACE", 2), ("FATAL", 0)])
def test_the_log_level_is_the_configured_one(level, lines):
    output = _run(AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL=level)
    assert len(output.splitlines()) == lines


def test_a_record_is_one_frame_on_the_telemetry_descriptor():
    reading, writing = os.pipe()
    output = _run(
        AWS_LAMBDA_LOG_FORMAT="JSON", _LAMBDA_TELEMETRY_LOG_FD=str(writing), pass_fds=(writing,)
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    assert output == ""
    assert data[:4].hex() == "a55a0016"  # JSON, ERROR: awslambdaric 4.2.2
    assert int.from_bytes(data[4:8], "big") == len(data) - 16
    assert json.loads(data[16:])["message"] == "dividing 1"


def test_log_lines_go_to_stdout_when_the_descriptor_is_not_open():
    assert "dividing 1" in _run(_LAMBDA_TELEMETRY_LOG_FD="777")
