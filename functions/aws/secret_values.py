"""Secrets from AWS Secrets Manager: read after start-up, kept for minutes, never logged.

Nothing here runs while a module is imported, so a SnapStart snapshot holds no
secret. A value lives in this process's memory only: not in the environment, not
in a log line, not in an error.
"""

import logging
import time

from botocore.exceptions import BotoCoreError, ClientError

from .clients import call, client

LIFETIME = 300.0
"""Seconds until a secret is read again, so that a new value needs no deploy."""

logger = logging.getLogger(__name__)
_kept: dict[str, tuple[float, str]] = {}


class SecretUnavailableError(RuntimeError):
    """A secret could not be read. The message names it and says nothing of its value."""


async def read_secret(name: str) -> str:
    """The value of the secret with this name or ARN.

    Costs one request to Secrets Manager per process and `LIFETIME`. When that
    request fails, the value read last goes on being used: an outage there must not
    end conversations. Raises `SecretUnavailableError` when there is none yet.
    """
    kept = _kept.get(name)
    if kept is not None and time.monotonic() - kept[0] < LIFETIME:
        return kept[1]
    try:
        answer = await call(client("secretsmanager").get_secret_value, SecretId=name)
        value = str(answer["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        reason = _reason(error)
        if kept is not None:
            logger.warning("secret %s not read again: %s", name, reason)
            return kept[1]
        raise SecretUnavailableError(f"The secret {name} cannot be read: {reason}") from None
    _kept[name] = (time.monotonic(), value)
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        # A secret that was made but never set has no version that could be read.
        return f"{code} (was it set?)" if code == "ResourceNotFoundException" else code
    return type(error).__name__
