"""The AWS account of this machine's credentials. It is checked before anything is built."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.cli.typed import CommandError
from infra.stack.settings import StackSettings

HOW = "run `aws configure`, `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class AccountError(CommandError):
    """Why the account cannot be used, in one line for the person who typed the command."""


def region_of(profile: str | None) -> str | None:
    """The region of the environment, or else of the profile, as for the CDK. None without one."""
    import boto3  # noqa: PLC0415 - slow to import
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        return region or boto3.session.Session(profile_name=profile).region_name
    except BotoCoreError:
        return None  # `Account.check` says what is wrong


class Account:
    """Clients for the account and region that the CDK uses.

    `profile` is the value of the CDK's `--profile`. The region comes from the settings, then
    from the environment, then from the profile, as for the CDK.
    """

    def __init__(self, settings: StackSettings, *, profile: str | None = None) -> None:
        self._region = settings.region or os.environ.get("AWS_REGION")
        self._profile = profile

    def client(self, service: str, *, attempts: int = 2) -> Any:
        """A boto3 client. Raises `AccountError` when there is no region.

        By default it makes two attempts, because a person waits.
        """
        import boto3  # noqa: PLC0415 - a synth needs no client
        from botocore.config import Config  # noqa: PLC0415

        session = boto3.session.Session(profile_name=self._profile)
        region = self._region or session.region_name
        if region is None:
            raise AccountError(
                "There is no AWS region: set AWS_REGION, `aws configure set region …`, or "
                "-c region=…"
            )
        # Short timeouts, for where there is no network.
        retries = {"mode": "standard", "total_max_attempts": attempts}
        config = Config(connect_timeout=5, read_timeout=20, retries=retries)
        return session.client(service, region_name=region, config=config)

    def check(self) -> None:
        """Raises `AccountError` unless AWS accepts the credentials."""
        with explained():
            self.client("sts").get_caller_identity()


@contextmanager
def explained() -> Iterator[None]:
    """Turns botocore's errors into an `AccountError`."""
    from botocore import exceptions as aws  # noqa: PLC0415

    try:
        yield
    except (aws.NoCredentialsError, aws.PartialCredentialsError):
        raise AccountError(f"There are no AWS credentials: {HOW}.") from None
    except aws.ClientError as error:
        said = error.response.get("Error", {})
        raise AccountError(f"AWS refused: {said.get('Message') or said.get('Code')}") from None
    except aws.EndpointConnectionError as error:
        raise AccountError(f"AWS cannot be reached. {_line(error)}") from None
    except aws.BotoCoreError as error:
        raise AccountError(_line(error)) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
