"""Credentials for a job of GitHub Actions, without a key: `python -m infra.cli.github_role ROLE`.

GitHub gives a job with `id-token: write` a token that says which repository and environment it runs
for, and AWS gives the role's credentials, for an hour, for that token. The job's later steps get
them as variables, and GitHub hides them in its log.
https://docs.github.com/en/actions/reference/security/oidc
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from infra.cli.account import AccountError, explained

AUDIENCE = "sts.amazonaws.com"
SECONDS = 3600
NAMES = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
}


def main() -> None:
    if len(sys.argv) != 2:  # noqa: PLR2004
        _stop("Which role? python -m infra.cli.github_role arn:aws:iam::…:role/…")
    try:
        credentials = assume(sys.argv[1], token())
    except AccountError as error:
        _stop(str(error))
    for name in NAMES.values():
        sys.stdout.write(f"::add-mask::{credentials[name]}\n")
    with Path(os.environ["GITHUB_ENV"]).open("a") as file:
        file.writelines(f"{name}={credentials[key]}\n" for name, key in NAMES.items())
    sys.stdout.write(f"This job acts as {sys.argv[1]} until {credentials['Expiration']}.\n")


def token() -> str:
    """The job's token for AWS."""
    try:
        address = os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"]
        secret = os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    except KeyError:
        _stop("This is no job of GitHub Actions with `permissions: id-token: write`.")
    request = urllib.request.Request(  # noqa: S310 - GitHub's own address
        f"{address}&{urllib.parse.urlencode({'audience': AUDIENCE})}",
        headers={"authorization": f"bearer {secret}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return str(json.load(answer)["value"])
    except (urllib.error.URLError, TimeoutError) as error:
        _stop(f"GitHub gives no token: {error}")


def assume(role: str, token: str) -> dict[str, Any]:
    """The role's credentials. Raises `AccountError` when AWS refuses."""
    config = Config(
        signature_version=UNSIGNED,
        connect_timeout=5,
        read_timeout=20,
        retries={"total_max_attempts": 3},
    )
    with explained():
        answer = boto3.client("sts", config=config).assume_role_with_web_identity(
            RoleArn=role,
            RoleSessionName="github",
            WebIdentityToken=token,
            DurationSeconds=SECONDS,
        )
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def _stop(why: str) -> NoReturn:
    sys.exit(why)


if __name__ == "__main__":
    main()
