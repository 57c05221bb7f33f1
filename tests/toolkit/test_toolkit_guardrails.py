"""The guardrails of the toolkit, each alone."""

import json
import re

import boto3
import pytest
from botocore.credentials import Credentials
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from functions.settings import Settings, forget_settings
from functions.toolkit import BedrockGuardrail, Rules
from functions.toolkit.guardrails import PART
from tests.support.served import served
from tests.support.signatures import signature_of


@pytest.mark.parametrize(
    ("rules", "text", "trips"),
    [
        ({"patterns": ["[0-9]{4}"]}, "It is 4711.", True),
        ({"patterns": ["[0-9]{4}"]}, "It is 471.", False),
        ({"words": ["Election", "vote (early)"]}, "who wins the ELECTION?", True),
        ({"words": ["Election", "vote (early)"]}, "Please vote (early)!", True),
        ({"words": ["elect"]}, "an election", False),
        ({"words": ["größe"]}, "GRÖSSE und Größe", True),
        ({"max_characters": 5}, "123456", True),
        ({"max_characters": 5}, "12345", False),
        ({}, "anything", False),
    ],
)
async def test_rules_trip_by_patterns_whole_words_and_length(rules, text, trips):
    assert await Rules(name="rules", **rules).trips(None, text, "input") is trips


def test_a_pattern_that_is_no_regular_expression_is_refused_at_the_start():
    with pytest.raises(re.error):
        Rules(name="rules", patterns=["[a"])


OURS = Credentials("AKIDEXAMPLE", "a secret")


class Bedrock:
    """`ApplyGuardrail` as AWS documents it. It checks each signature, as AWS does:
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
    """

    def __init__(self, *blocked):
        self.blocked = blocked
        self.requests = []
        path = "/guardrail/{guardrail:path}/version/{version}/apply"
        self.app = Starlette(routes=[Route(path, self.apply, methods=["POST"])])

    async def apply(self, request):
        content = await request.body()
        signature = signature_of(request.scope, content, {OURS.access_key: OURS})
        if signature is None:
            return JSONResponse({"message": "signature"}, 403)
        assert (signature.region, signature.service) == ("eu-central-1", "bedrock")
        body = json.loads(content)
        assert set(body) == {"source", "content"}
        self.requests.append((*request.path_params.values(), body["source"]))
        text = "".join(block["text"]["text"] for block in body["content"])
        found = any(word in text for word in self.blocked)
        return JSONResponse(
            {
                "action": "GUARDRAIL_INTERVENED" if found else "NONE",
                "assessments": [],
                "outputs": [{"text": "blocked"}] if found else [],
                "usage": {},
            }
        )


@pytest.fixture
def bedrock(monkeypatch):
    server = Bedrock("weapon")
    with served(server.app) as url:
        # The session that other tests have used keeps their credentials.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", OURS.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", OURS.secret_key)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        forget_settings()
        yield server
    forget_settings()


async def test_bedrocks_guardrail_is_asked_with_a_valid_signature(bedrock, monkeypatch):
    monkeypatch.setenv("CHATKIT_BEDROCK_GUARDRAIL", "abc123:7")
    forget_settings()
    guardrail = BedrockGuardrail(name="bedrock")
    assert not await guardrail.trips(None, "tea", "input")
    assert await guardrail.trips(None, "a weapon", "output")
    assert bedrock.requests == [("abc123", "7", "INPUT"), ("abc123", "7", "OUTPUT")]


async def test_each_part_of_a_long_text_is_asked_about(bedrock):
    arn = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123"
    guardrail = BedrockGuardrail(name="bedrock", guardrail=f"{arn}:DRAFT")
    assert await guardrail.trips(None, "x" * PART + "weapon", "tools")
    assert bedrock.requests == [(arn, "DRAFT", "INPUT")] * 2


@pytest.mark.parametrize("named", ["abc123", "abc123:0", "abc/123:1", ":1"])
def test_a_guardrail_of_bedrocks_without_a_version_is_refused(named):
    with pytest.raises(ValidationError):
        Settings(_env_file=None, bedrock_guardrail=named)
