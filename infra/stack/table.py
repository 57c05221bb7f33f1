"""The table, made from the schema that the store and `make dev` use too."""

from aws_cdk import RemovalPolicy
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
    """On demand, with point-in-time recovery and a stream of removed rows."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey | None,
        keep: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        partition, sort = _keys(schema.TABLE["KeySchema"])
        self.table = dynamodb.Table(
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
            self.table.add_local_secondary_index(
                index_name=index["IndexName"],
                sort_key=_keys(index["KeySchema"])[1],
                projection_type=dynamodb.ProjectionType[index["Projection"]["ProjectionType"]],
            )
        self.index_arn = f"{self.table.table_arn}/index/{schema.INDEX}"


def _keys(key_schema: list[dict[str, str]]) -> tuple[dynamodb.Attribute, dynamodb.Attribute]:
    """The partition key and the sort key."""
    names = {part["KeyType"]: part["AttributeName"] for part in key_schema}
    partition, sort = (
        dynamodb.Attribute(name=name, type=_TYPES[schema.ATTRIBUTES[name]])
        for name in (names["HASH"], names["RANGE"])
    )
    return partition, sort
