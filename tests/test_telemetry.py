"""Logs hold no one's words, whichever way an exception gets into them."""

import logging

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


def test_an_exception_is_logged_by_its_type_and_its_place(log, caplog):
    try:
        failing()
    except ValueError as error:
        log.exception("it went wrong")
        log.exception(error)  # noqa: TRY401 - as the ChatKit SDK does it
        log.error("it went wrong: %s", error)  # noqa: TRY400
    assert SECRET not in caplog.text
    assert caplog.text.count("ValueError") >= 3
    assert "in failing" in caplog.text


def test_an_error_of_aws_is_named_by_its_code():
    error = ClientError({"Error": {"Code": "Throttled", "Message": SECRET}}, "GetItem")
    assert describe(error) == "ClientError code=Throttled operation=GetItem"
