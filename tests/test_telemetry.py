"""Logs contain no exception's message, however it is logged."""

import logging
import sys

import pytest
from botocore.exceptions import ClientError

from functions.telemetry import SafeExceptions, describe

SECRET = "swordfish"


def failing():
    raise ValueError(SECRET)


@pytest.fixture
def log(caplog):
    caplog.handler.addFilter(SafeExceptions())
    caplog.set_level(logging.INFO)
    yield logging.getLogger("under.test")
    caplog.handler.filters.clear()


def test_an_exception_is_logged_as_its_type_and_location(log, caplog):
    try:
        failing()
    except ValueError as error:
        log.exception("it went wrong")
        log.exception(error)  # noqa: TRY401 - as the ChatKit SDK does it
        log.error("it went wrong: %s", error)  # noqa: TRY400
    assert SECRET not in caplog.text
    assert caplog.text.count("ValueError") >= 3
    assert "in failing" in caplog.text


def test_a_developer_sees_an_exception_whole():
    shown = SafeExceptions()
    shown.tracebacks = True
    try:
        failing()
    except ValueError:
        raised = sys.exc_info()
    record = logging.LogRecord("name", logging.ERROR, __file__, 1, "it failed", None, raised)
    assert shown.filter(record)
    text = logging.Formatter().format(record)
    assert text.startswith("it failed\nTraceback")
    assert f"ValueError: {SECRET}" in text


def test_an_aws_error_is_logged_with_its_code():
    error = ClientError({"Error": {"Code": "Throttled", "Message": SECRET}}, "GetItem")
    assert describe(error) == "ClientError code=Throttled operation=GetItem"
