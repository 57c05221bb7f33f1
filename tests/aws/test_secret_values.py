"""Secrets are read after start-up, kept for minutes, survive an outage, and are not told."""

import logging

import boto3
import pytest
from moto import mock_aws

from functions.aws import clients, secret_values
from functions.aws.secret_values import SecretUnavailableError, read_secret
from functions.settings import forget_settings


@pytest.fixture
def vault(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def fresh():
        forget_settings()
        clients._client.cache_clear()
        secret_values._kept.clear()

    with mock_aws():
        fresh()
        yield boto3.client("secretsmanager", region_name="us-east-1")
    fresh()


@pytest.fixture
def clock(monkeypatch):
    """Time that a test moves."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(secret_values.time, "monotonic", lambda: Clock.now)
    return Clock


async def test_a_secret_is_read_once_and_again_when_it_is_old(vault, clock):
    vault.create_secret(Name="key", SecretString="one")
    assert await read_secret("key") == "one"
    vault.put_secret_value(SecretId="key", SecretString="two")
    clock.now += secret_values.LIFETIME - 1
    assert await read_secret("key") == "one"
    clock.now += 2
    assert await read_secret("key") == "two"


async def test_an_outage_leaves_the_last_value_in_use_and_its_log_does_not_tell_it(
    vault, clock, caplog
):
    vault.create_secret(Name="key", SecretString="very-secret")
    await read_secret("key")
    vault.delete_secret(SecretId="key", ForceDeleteWithoutRecovery=True)
    clock.now += secret_values.LIFETIME + 1
    with caplog.at_level(logging.DEBUG):
        assert await read_secret("key") == "very-secret"
    assert "key not read again" in caplog.text
    assert "very-secret" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("functions")
    )


async def test_a_secret_that_was_never_set_says_so(vault):
    vault.create_secret(Name="empty")
    with pytest.raises(SecretUnavailableError, match=r"empty cannot be read: .*was it set"):
        await read_secret("empty")


def test_nothing_is_read_while_modules_are_imported():
    import subprocess
    import sys

    # No credentials, no region, no endpoint: a request at import would raise.
    code = "import functions.aws.secret_values as s; assert not s._kept"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "."}, check=True)
