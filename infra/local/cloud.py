"""The table, the bucket and the vector bucket on this machine, in moto."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from functions.attachments import create_bucket
from functions.aws.clients import client
from functions.settings import Settings, forget_settings
from functions.store import create_table
from functions.telemetry import describe
from infra.local.folder import shown
from infra.local.moto_server import ACCESS_KEY_ID, MotoServer, moto_server
from infra.local.snapshot import kept

HERE = "127.0.0.1,localhost"
EXISTS = {
    "ResourceInUseException",
    "BucketAlreadyOwnedByYou",
    "BucketAlreadyExists",
    "ConflictException",  # the vector bucket
    "ResourceAlreadyExistsException",  # the bus
}


class CloudError(Exception):
    """The table or the bucket could not be made or filled. The message says what to check."""


@contextlib.contextmanager
def local_cloud(
    settings: Settings, *, keep_in: Path | None = None, page_port: str | None = None
) -> Iterator[dict[str, str]]:
    """Start moto on a free port, make the table and the bucket, and set the environment.

    With `knowledge` it makes the vector bucket, too.

    Yields the variables that it set, for processes that do not inherit them. With `keep_in`, what
    they hold is kept in this SQLite file, and is there again the next time.
    With `page_port`, the page there may follow signed links to moto itself.

    When `AWS_ENDPOINT_URL` is set, that endpoint is used, and moto is not started. A table and a
    bucket that are already there are used as they are, and so is a key of the environment.
    """
    with contextlib.ExitStack() as stack:
        moto = None
        endpoint = settings.aws_endpoint_url
        if endpoint is None:
            moto = stack.enter_context(moto_server(settings.aws_region, page_port))
            endpoint = moto.endpoint
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": settings.aws_region,
            **_key(moto),
            "CHATKIT_TABLE": settings.table,
            "CHATKIT_ATTACHMENTS_BUCKET": settings.attachments_bucket,
            "CHATKIT_VECTOR_BUCKET": settings.vector_bucket,
            # This machine is never reached through a proxy.
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), HERE])),
            "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), HERE])),
        }
        os.environ.update(environment)
        os.environ.pop("AWS_PROFILE", None)
        if "AWS_ACCESS_KEY_ID" in environment:
            os.environ.pop("AWS_SESSION_TOKEN", None)  # it belongs to another key
        forget_settings()
        try:
            _make_table_and_bucket(settings)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise CloudError(
                f"no table and bucket at {endpoint} ({describe(error)}): "
                "look at AWS_ENDPOINT_URL and AWS_REGION"
            ) from None
        if moto and keep_in:
            vectors = settings.vector_bucket if settings.knowledge else None
            keeping = kept(keep_in, moto, settings.table, settings.attachments_bucket, vectors)
            try:
                stack.enter_context(keeping)
            except (sqlite3.DatabaseError, BotoCoreError) as error:
                raise CloudError(
                    f"{shown(keep_in)} cannot be read now, and is unchanged ({error})"
                ) from None
        yield environment


def _key(moto: MotoServer | None) -> dict[str, str]:
    """The key to sign with. An endpoint of one's own gets that of the environment, or always the
    same: DynamoDB Local has a database for each.
    """
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if moto is None and all(os.environ.get(name) for name in names):
        return {}
    key_id = "local" if moto is None else ACCESS_KEY_ID
    return dict(zip(names, (key_id, "local"), strict=True))


def _make_table_and_bucket(settings: Settings) -> None:
    """Make what is not there yet. On a slow machine the first request to moto takes longer than the
    client waits, and the second attempt finds what the first one has made.
    """
    makers: list[Callable[[], None]] = [
        lambda: create_table(client("dynamodb"), settings.table),
        lambda: create_bucket(client("s3"), settings.attachments_bucket),
    ]
    if settings.knowledge:
        bucket = settings.vector_bucket
        makers.append(lambda: client("s3vectors").create_vector_bucket(vectorBucketName=bucket))
    if settings.event_bus:
        bus = settings.event_bus
        makers.append(lambda: client("events").create_event_bus(Name=bus))
    for make in makers:
        try:
            make()
        except ClientError as error:
            if error.response["Error"]["Code"] not in EXISTS:
                raise
