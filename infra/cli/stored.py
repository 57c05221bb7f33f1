"""The conversations of a stage, or of the `make dev` that is running, for commands."""

from dataclasses import dataclass

from functions.aws.bucket import Bucket
from functions.settings import Settings
from functions.store import DynamoDBStore, Table
from infra.cli.account import Account
from infra.cli.make_dev import local_client, port_of_make_dev, variables_of_make_dev
from infra.stack.settings import StackSettings


class StoredError(Exception):
    """Why nothing can be shown or changed, in one line for whoever typed the command."""


@dataclass(frozen=True)
class Stored:
    """The table and the bucket of a deployment, and how people call it."""

    name: str
    table: Table
    bucket: Bucket
    stage: str | None = None
    """`None` for the `make dev` on this machine."""
    retention_days: int | None = None

    @property
    def store(self) -> DynamoDBStore:
        return DynamoDBStore(self.table, bucket=self.bucket, retention_days=self.retention_days)


def of_stage(settings: StackSettings, outputs: dict[str, str], account: Account) -> Stored:
    """The conversations of a stage. `outputs` are those of its stack.

    Raises `AccountError` without a region.
    """
    return Stored(
        name=f"The stage {settings.stage}",
        table=Table(outputs["TableName"], account.client("dynamodb")),
        bucket=Bucket(outputs["FilesBucketName"], account.client("s3")),
        stage=settings.stage,
        retention_days=settings.retention_days,
    )


def of_make_dev(command: str) -> Stored:
    """The conversations of the `make dev` that is running on `PORT`. Raises `StoredError`.

    `command` is what the person has typed, such as `make table`.
    """
    port, variables = port_of_make_dev(), variables_of_make_dev()
    if not variables:
        raise StoredError(
            f"No make dev is running on port {port}. For a stage: {command} STAGE=prod"
        )
    return Stored(
        name=f"make dev on port {port}",
        table=Table(str(variables["CHATKIT_TABLE"]), local_client("dynamodb", variables)),
        bucket=Bucket(str(variables["CHATKIT_ATTACHMENTS_BUCKET"]), local_client("s3", variables)),
        retention_days=Settings().retention_days,
    )
