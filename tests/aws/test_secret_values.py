"""Secrets: read when first needed, cached for minutes, used during an outage, never logged."""

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
    """A clock that a test moves."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(secret_values, "time", lambda: Clock.now)
    return Clock


async def test_a_secret_is_read_once_and_again_after_some_minutes(vault, clock):
    vault.create_secret(Name="key", SecretString="one")
    assert await read_secret("key") == "one"
    vault.put_secret_value(SecretId="key", SecretString="two")
    clock.now += secret_values.CACHE_SECONDS - 1
    assert await read_secret("key") == "one"
    clock.now += 2
    assert await read_secret("key") == "two"


async def test_the_last_value_is_used_during_an_outage_and_is_not_logged(vault, clock, caplog):
    vault.create_secret(Name="key", SecretString="very-secret")
    await read_secret("key")
    vault.delete_secret(SecretId="key", ForceDeleteWithoutRecovery=True)
    clock.now += secret_values.CACHE_SECONDS + 1
    with caplog.at_level(logging.DEBUG):
        assert await read_secret("key") == "very-secret"
    assert "key could not be read again" in caplog.text
    asked = len(caplog.records)
    assert await read_secret("key") == "very-secret"
    assert len(caplog.records) == asked  # not asked again for five minutes
    assert "very-secret" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("functions")
    )


async def test_the_error_for_a_secret_without_a_value_says_so(vault):
    vault.create_secret(Name="empty")
    with pytest.raises(SecretUnavailableError, match=r"empty cannot be read: .*was it set"):
        await read_secret("empty")


def test_importing_modules_reads_no_secret():
    import subprocess
    import sys

    # Without credentials, region and endpoint, a request at import would raise.
    code = "import functions.aws.secret_values as s; assert not s._kept"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "."}, check=True)
