"""moto with a table and a bucket, in an environment without the settings of who runs the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from functions.aws import clients
from functions.settings import Settings, forget_settings
from infra.local.cloud import local_cloud
from tests.support.dev import HIDDEN


@contextmanager
def own_cloud(
    patch: pytest.MonkeyPatch,
    *,
    keep_in: Path | None = None,
    page_port: str | None = None,
    **variables: str,
) -> Iterator[dict[str, str]]:
    """`local_cloud` with these variables and no other settings. Yields what `local_cloud` yields.

    The table and the bucket are new unless `variables` name them: all moto servers of a process
    share their state. `patch` puts the environment back.
    """
    for name in [name for name in os.environ if name.startswith(HIDDEN)]:
        patch.delenv(name)
    unique = f"tests-{uuid4().hex}"
    environment = {
        # local_cloud sets these. They are set here first, so that `patch` puts them back.
        "AWS_ENDPOINT_URL": "",
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_REGION": "us-east-1",
        "CHATKIT_TABLE": unique,
        "CHATKIT_ATTACHMENTS_BUCKET": unique,
        "CHATKIT_VECTOR_BUCKET": unique,
        **variables,
    }
    for name, value in environment.items():
        patch.setenv(name, value)
    # boto3's default session keeps the key with which an earlier test has made it.
    boto3.DEFAULT_SESSION = None
    clients._client.cache_clear()
    forget_settings()
    try:
        settings = Settings(_env_file=None)
        with local_cloud(settings, keep_in=keep_in, page_port=page_port) as set_by_it:
            yield set_by_it
    finally:
        forget_settings()
