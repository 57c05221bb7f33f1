"""What a command is about: a stage, or the `make dev` that is running."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from functions.aws.bucket import Bucket
from functions.store import DynamoDBStore, Table
from infra.cli.account import Account
from infra.cli.make_dev import Variables, local_client, port_of_make_dev, variables_of_make_dev
from infra.cli.typed import CommandError
from infra.stack.settings import StackSettings


@dataclass(frozen=True)
class Deployment:
    """A deployment, and how people call it within a sentence. `client` makes boto3's clients."""

    name: str
    client: Callable[[str], Any]
    stage: str | None = None
    """`None` for `make dev`."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Those of the stage's stack; empty for `make dev`."""
    variables: Variables = field(default_factory=dict)
    """Those of `make dev`; empty for a stage."""

    @classmethod
    def of_stage(cls, settings: StackSettings, account: Account) -> "Deployment":
        """Raises `CommandError` when there is no stack, and what botocore raises."""
        outputs = found_outputs(settings, account)
        if outputs is None:
            raise CommandError(
                f"There is no stack {stack_name(settings.stage)} in this account and region. "
                "`make deploy` makes it."
            )
        return cls(
            name=f"the stage {settings.stage}",
            client=cache(account.client),  # making a client takes a second
            stage=settings.stage,
            outputs=outputs,
        )

    @classmethod
    def of_make_dev(cls, example: str) -> "Deployment":
        """The `make dev` that is running on `PORT`. `example` is the command for a stage.

        Raises `CommandError`.
        """
        port, variables = port_of_make_dev(), variables_of_make_dev()
        if not variables:
            raise CommandError(f"No make dev is running on port {port}. For a stage: {example}")
        return cls(
            name=f"make dev on port {port}",
            client=cache(lambda service: local_client(service, variables)),
            variables=variables,
        )

    @classmethod
    def of(
        cls, settings: StackSettings | None, account: Account | None, example: str
    ) -> "Deployment":
        """The stage, or `make dev` when no stage is given."""
        if settings is None or account is None:
            return cls.of_make_dev(example)
        return cls.of_stage(settings, account)

    @property
    def title(self) -> str:
        """The name at the beginning of a line."""
        return self.name if self.stage is None else f"The stage {self.stage}"

    @property
    def table_name(self) -> str:
        if self.stage is None:
            return str(self.variables["CHATKIT_TABLE"])
        return self.outputs["TableName"]

    @property
    def bucket_name(self) -> str:
        if self.stage is None:
            return str(self.variables["CHATKIT_ATTACHMENTS_BUCKET"])
        return self.outputs["FilesBucketName"]

    @property
    def table(self) -> Table:
        return Table(self.table_name, self.client("dynamodb"))

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.bucket_name, self.client("s3"))

    @property
    def store(self) -> DynamoDBStore:
        return DynamoDBStore(self.table, bucket=self.bucket)


def stack_name(stage: str) -> str:
    return f"chatkit-{stage}"


def found_outputs(settings: StackSettings, account: Account) -> dict[str, str] | None:
    """The outputs of the stage's stack; `None` when there is no stack."""
    client = account.client("cloudformation")
    try:
        (stack,) = client.describe_stacks(StackName=stack_name(settings.stage))["Stacks"]
    except client.exceptions.ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
