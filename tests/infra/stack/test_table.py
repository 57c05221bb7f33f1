"""The table is the schema's, and stays when it is asked to."""

import pytest

from functions.store import schema


def test_the_table_is_the_schema(bare):
    from infra.stack.table import ChatTable

    table = bare(lambda s: ChatTable(s, "T", key=None, keep=False)).only("AWS::DynamoDB::Table")
    assert table["KeySchema"] == schema.TABLE["KeySchema"]
    assert table["LocalSecondaryIndexes"] == schema.TABLE["LocalSecondaryIndexes"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} == (
        schema.ATTRIBUTES
    )
    assert table["TimeToLiveSpecification"] == {
        "AttributeName": schema.TTL_ATTRIBUTE,
        "Enabled": True,
    }
    assert table["StreamSpecification"] == {"StreamViewType": schema.STREAM_VIEW}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(("keep", "policy"), [(False, "Delete"), (True, "Retain")])
def test_the_table_is_kept_when_asked(bare, keep, policy):
    from infra.stack.table import ChatTable

    template = bare(lambda s: ChatTable(s, "T", key=None, keep=keep))
    (resource,) = template.of_type("AWS::DynamoDB::Table").values()
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == policy
    assert resource["Properties"]["DeletionProtectionEnabled"] is keep
