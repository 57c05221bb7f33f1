"""A deploy over the version before replaces nothing that holds data.

CloudFormation replaces a resource whose logical id, type or fixed property changed, and deletes the
old one. `data_resources.json` has these of the version before; resources that are new are added by

    RECORD=1 python -m pytest tests/infra/stack/test_replacement.py

which changes nothing that is recorded already.
"""

import json
import os
from pathlib import Path

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.infra.stack.variants import VARIANTS

RECORDED = Path(__file__).with_name("data_resources.json")
KINDS = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::Cognito::UserPool",
    "AWS::S3Vectors::VectorBucket",
    "AWS::S3Vectors::Index",
)
# Their documentation says "Replacement" or "Some interruptions", and the schema does not:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html
ALSO_FIXED = {
    "AWS::DynamoDB::Table": ["KeySchema", "LocalSecondaryIndexes"],
    "AWS::Cognito::UserPool": ["UsernameAttributes", "AliasAttributes", "UsernameConfiguration"],
}


def fixed_properties(kind):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    named = [
        pointer.removeprefix("/properties/").split("/")[0]
        for pointer in schema.get("createOnlyProperties", [])
    ]
    return sorted({*named, *ALSO_FIXED.get(kind, [])})


def of(template):
    """What must stay as it is, by logical id."""
    return {
        name: {
            "type": resource["Type"],
            "fixed": {
                each: resource.get("Properties", {}).get(each)
                for each in fixed_properties(resource["Type"])
            },
        }
        for name, resource in template.resources.items()
        if resource["Type"] in KINDS
    }


@pytest.fixture(scope="module")
def now(synth):
    return {
        variant: {name: of(template) for name, template in synth(**typed).items()}
        for variant, typed in VARIANTS.items()
    }


def test_a_deploy_over_the_version_before_replaces_and_deletes_nothing_with_data(now):
    for variant, stacks in json.loads(RECORDED.read_text()).items():
        for stack, resources in stacks.items():
            assert resources.items() <= now[variant][stack].items(), (variant, stack)


@pytest.fixture(scope="module", autouse=True)
def record(now):
    """With `RECORD`, add what is new."""
    if not os.environ.get("RECORD"):
        return
    known = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    added = {
        variant: {
            stack: {**resources, **known.get(variant, {}).get(stack, {})}
            for stack, resources in stacks.items()
        }
        for variant, stacks in now.items()
    }
    RECORDED.write_text(json.dumps(added, indent=1, sort_keys=True) + "\n")


def test_each_resource_with_data_is_recorded_before_it_ships(now):
    assert json.loads(RECORDED.read_text()) == now


def test_a_table_with_another_key_would_be_replaced(dev):
    (name,) = dev.of_type("AWS::DynamoDB::Table")
    assert of(dev)[name]["fixed"]["KeySchema"]
    assert "TableName" in of(dev)[name]["fixed"]
