"""The table, made from the schema that the store and `make dev` use too."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from functions.store import schema

_TYPES = {
    "S": dynamodb.AttributeType.STRING,
    "N": dynamodb.AttributeType.NUMBER,
    "B": dynamodb.AttributeType.BINARY,
}


class ChatTable(Construct):
    """On demand, with point-in-time recovery and a stream of its changes.

    `table` is the one that the stage uses. With `restored` (the name and the stream of a table that
    `make restore` has made, `name/stream/label`) it is that one. The stack's own stays as it is, so
    a deploy without `restored` goes back to it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey | None,
        keep: bool,
        restored: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        partition, sort = _keys(schema.TABLE["KeySchema"])
        own = dynamodb.Table(
            self,
            "Table",
            partition_key=partition,
            sort_key=sort,
            billing_mode=dynamodb.BillingMode[schema.TABLE["BillingMode"]],
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=schema.TTL_ATTRIBUTE,
            stream=dynamodb.StreamViewType[schema.STREAM_VIEW],
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else None,
            encryption_key=key,
            deletion_protection=keep,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )
        for index in schema.TABLE["LocalSecondaryIndexes"]:
            own.add_local_secondary_index(
                index_name=index["IndexName"],
                sort_key=_keys(index["KeySchema"])[1],
                projection_type=dynamodb.ProjectionType[index["Projection"]["ProjectionType"]],
            )
        self.table: dynamodb.ITable = own if restored is None else self._restored(restored, key)
        self.index_arn = f"{self.table.table_arn}/index/{schema.INDEX}"

    def _restored(self, restored: str, key: kms.IKey | None) -> dynamodb.ITable:
        arn = Stack.of(self).format_arn(
            service="dynamodb", resource="table", resource_name=restored
        )
        name = restored.partition("/")[0]
        return dynamodb.Table.from_table_attributes(
            self,
            "Restored",
            table_arn=arn.removesuffix(restored.removeprefix(name)),
            table_stream_arn=arn,
            encryption_key=key,
        )


def _keys(key_schema: list[dict[str, str]]) -> tuple[dynamodb.Attribute, dynamodb.Attribute]:
    """The partition key and the sort key."""
    names = {part["KeyType"]: part["AttributeName"] for part in key_schema}
    partition, sort = (
        dynamodb.Attribute(name=name, type=_TYPES[schema.ATTRIBUTES[name]])
        for name in (names["HASH"], names["RANGE"])
    )
    return partition, sort
