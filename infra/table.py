"""The table, made from the one schema that the store and the local start use as well."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

PARTITION_KEY = "pk"
SORT_KEY = "sk"
INDEX = "by_position"
INDEX_SORT_KEY = "position"
TTL = "expires"


class ChatTable(Construct):
    """On demand, with point-in-time recovery; its stream tells of deleted rows."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey | None,
        keep: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_string(PARTITION_KEY),
            sort_key=_string(SORT_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=TTL,
            stream=dynamodb.StreamViewType.OLD_IMAGE,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else None,
            encryption_key=key,
            deletion_protection=keep,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )
        self.table.add_local_secondary_index(
            index_name=INDEX,
            sort_key=_string(INDEX_SORT_KEY),
            projection_type=dynamodb.ProjectionType.ALL,
        )
        self.index_arn = f"{self.table.table_arn}/index/{INDEX}"


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
