"""The right to apply a guardrail of Amazon Bedrock."""

import json

import pytest

from tests.infra.stack.iam import statements_of

OURS = {
    "Fn::Join": [
        "",
        [
            "arn:",
            {"Ref": "AWS::Partition"},
            ":bedrock:",
            {"Ref": "AWS::Region"},
            ":123456789012:guardrail/abc123",
        ],
    ]
}
THEIRS = "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123"


def statements(template):
    """The statements about Bedrock by the logical id of the role that they belong to."""
    found = {}
    for role in template.of_type("AWS::IAM::Role"):
        ours = [each for each in statements_of(template, role) if "bedrock" in json.dumps(each)]
        if ours:
            found[role] = ours
    return found


@pytest.mark.parametrize(("named", "arn"), [("abc123:1", OURS), (f"{THEIRS}:DRAFT", THEIRS)])
def test_the_streaming_function_may_apply_this_guardrail_and_no_other(synth, named, arn):
    template = synth(bedrockGuardrail=named)["chatkit-dev"]
    [(role, [statement])] = statements(template).items()
    assert role.startswith("Chat")
    assert (statement["Action"], statement["Resource"]) == ("bedrock:ApplyGuardrail", arn)
    function = template.only("AWS::Lambda::Function", "ChatFunction")
    assert function["Environment"]["Variables"]["CHATKIT_BEDROCK_GUARDRAIL"] == named


def test_without_the_setting_nobody_may_apply_one(synth):
    assert statements(synth()["chatkit-dev"]) == {}
