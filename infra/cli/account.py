"""The AWS account that this machine's tools are set up for, asked before anything is built."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.stack.settings import StackSettings

HOW = "run `aws configure`, `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class AccountError(Exception):
    """Why the account cannot be used, in one line for the person at the keyboard."""


class Account:
    """Clients for the account and region that the CDK will use as well.

    `profile` is that of the CDK's `--profile`. The region is the settings', else that of
    the environment or the profile, in the CDK's order.
    """

    def __init__(self, settings: StackSettings, *, profile: str | None = None) -> None:
        self._region = settings.region or os.environ.get("AWS_REGION")
        self._profile = profile

    def client(self, service: str) -> Any:
        """Raises `AccountError` without a region, and what botocore does without a profile."""
        import boto3  # noqa: PLC0415 - a synth needs no client
        from botocore.config import Config  # noqa: PLC0415

        session = boto3.session.Session(profile_name=self._profile)
        region = self._region or session.region_name
        if region is None:
            raise AccountError(
                "There is no AWS region: set AWS_REGION, `aws configure set region …`, or "
                "-c region=…"
            )
        # Somebody waits: two attempts, and no minute of silence where there is no network.
        config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
        return session.client(service, region_name=region, config=config)

    def check(self) -> None:
        """Raises `AccountError` unless AWS says whose credentials these are."""
        with explained():
            self.client("sts").get_caller_identity()


@contextmanager
def explained() -> Iterator[None]:
    """Turns what botocore raises into an `AccountError`."""
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
