"""The table is the schema's, and stays when it is asked to."""

import json

import pytest

from functions.store import schema
from tests.infra.stack.variants import RESTORED, VARIANTS, references


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


def test_a_restored_table_is_used_and_the_stacks_own_stays_as_it_is(synth, dev):
    """A deploy with `restoredTable` changes nothing of the table that the stack made: so
    CloudFormation neither replaces nor deletes it, and a deploy without goes back to it.
    """
    template = synth(**VARIANTS["own everything"])["chatkit-dev"]
    own = template.of_type("AWS::DynamoDB::Table")
    assert own == dev.of_type("AWS::DynamoDB::Table")
    (own_name,) = own
    named = {
        name
        for name, resource in template.resources.items()
        if own_name in references(resource.get("Properties", {}))
    }
    assert named == set()
    restored, _, _ = RESTORED.partition("/")
    mapping = template.only("AWS::Lambda::EventSourceMapping", "EventsStream")
    told = json.dumps(mapping["EventSourceArn"])
    assert f"table/{RESTORED}" in told
    for name in ("Chat", "Actions", "Events", "Sweep"):
        function = template.only("AWS::Lambda::Function", f"{name}Function")
        assert function["Environment"]["Variables"]["CHATKIT_TABLE"] == restored
    assert template.body["Outputs"]["TableName"]["Value"] == restored
    policies = json.dumps(template.of_type("AWS::IAM::Policy"))
    assert f":table/{restored}/index/{schema.INDEX}" in policies
    assert f":table/{RESTORED}" in policies
