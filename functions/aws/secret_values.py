"""Secrets from AWS Secrets Manager: read when first needed, cached for minutes, never logged.

No secret is read at import, so a SnapStart snapshot holds none. A value is only in this process's
memory: not in the environment, a log line or an error.
"""

import logging
from time import time

from botocore.exceptions import BotoCoreError, ClientError

from .clients import call, client

CACHE_SECONDS = 300.0
"""A secret is read again after this, so that a new value needs no deploy."""

logger = logging.getLogger(__name__)
_kept: dict[str, tuple[float, str]] = {}
"""When each secret was read or last tried, and its value."""


class SecretUnavailableError(RuntimeError):
    """A secret could not be read. The message contains its name and not its value."""


async def read_secret(name: str, *, again: bool = False) -> str:
    """The value of the secret with this name or ARN.

    One request to Secrets Manager for each process and `CACHE_SECONDS`, or at once with `again`. If
    that fails, the last value is used, so that conversations go on during an outage. Raises
    `SecretUnavailableError` when there is no last value.
    """
    cached = _kept.get(name)
    # The clock of the day: another one may stand still while Lambda freezes the process.
    if cached is not None and not again and 0 <= time() - cached[0] < CACHE_SECONDS:
        return cached[1]
    try:
        answer = await call(client("secretsmanager").get_secret_value, SecretId=name)
        value = str(answer["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        reason = _reason(error)
        if cached is not None:
            logger.warning("secret %s could not be read again: %s", name, reason)
            _kept[name] = (time(), cached[1])  # so that not every request waits for a timeout
            return cached[1]
        raise SecretUnavailableError(f"The secret {name} cannot be read: {reason}") from None
    _kept[name] = (time(), value)
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        # A secret that was created but never set has no value.
        return f"{code} (was it set?)" if code == "ResourceNotFoundException" else code
    return type(error).__name__
