"""How a command reaches AWS's API of the `make dev` that is running."""

import os
from typing import Any

from dotenv import dotenv_values

from infra.local.folder import file_of_port

Variables = dict[str, str | None]


def port_of_make_dev() -> str:
    return os.environ.get("PORT") or "8000"


def variables_of_make_dev() -> Variables:
    """The variables that lead to its table and its bucket; empty when none is running on `PORT`."""
    return dict(dotenv_values(file_of_port(port_of_make_dev())))


def local_client(service: str, variables: Variables) -> Any:
    """A boto3 client for its API."""
    import boto3  # noqa: PLC0415 - slow to import
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        service,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
        config=Config(proxies={}),  # this machine is never reached through a proxy
    )
