"""Secrets: made by the stack or named by the settings, and shown nowhere."""

import json
import re

import pytest

from tests.infra.stack.variants import EVERYTHING

TURNSTILE = "CHATKIT_TURNSTILE_SECRET_NAME"
"""Cloudflare calls the value the secret, so this name says more."""


def secrets(bare, **given):
    from aws_cdk import RemovalPolicy

    from infra.stack.secret import Secrets

    made = {}
    named = dict.fromkeys(
        ("cookie_secret", "model_secret", "transcription_secret", "embedding_secret")
    )
    models = {"provider": "openai", "key_providers": [], "mcp_secrets": ()}
    defaults = {**named, **models, "needs_turnstile_key": False, "key": None}

    def make(stack):
        made["secrets"] = Secrets(
            stack, "S", removal_policy=RemovalPolicy.DESTROY, **(defaults | given)
        )

    return bare(make), made["secrets"]


def test_the_cookie_key_is_random_and_long(bare):
    template, _ = secrets(bare)
    secret = template.only("AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32
    assert "SecretString" not in secret


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("Model", {"key_providers": ["openai"]}),
        ("ModelGemini", {"key_providers": ["gemini"]}),
        ("Turnstile", {"needs_turnstile_key": True}),
    ],
)
def test_a_key_of_somebody_elses_is_made_without_a_value(bare, name, needed):
    template, _ = secrets(bare, **needed)
    secret = template.only("AWS::SecretsManager::Secret", f"S{name}")
    assert "GenerateSecretString" not in secret
    assert "SecretString" not in secret


def test_secrets_that_exist_are_named_and_none_is_made(bare):
    template, made = secrets(
        bare,
        cookie_secret="chat/cookie",
        key_providers=["openai"],
        model_secret="chat/openai",
        transcription_secret="chat/whisper",
        mcp_secrets=["shop/token", "shop/token"],
    )
    assert not template.of_type("AWS::SecretsManager::Secret")
    assert made.transcription.arn.endswith(":secret:chat/whisper-??????")
    assert made.models["openai"].id == "chat/openai"
    assert made.models["openai"].arn.endswith(":secret:chat/openai-??????")
    (shop,) = made.mcp
    assert shop.arn.endswith(":secret:shop/token-??????")


def test_no_secret_is_in_an_environment_or_an_output(templates):
    for template in templates.values():
        secrets = set(template.of_type("AWS::SecretsManager::Secret"))
        told = [
            function["Properties"].get("Environment", {}).get("Variables", {})
            for function in template.of_type("AWS::Lambda::Function").values()
        ]
        shown = json.dumps([told, template.body.get("Outputs", {})])
        assert "{{resolve:" not in shown
        for variables in told:
            for name, value in variables.items():
                named = isinstance(value, dict) and value.get("Ref") in secrets
                assert not named or name.endswith("_SECRET") or name == TURNSTILE
                assert name != "CHATKIT_TURNSTILE_SECRET"  # the value itself
                if name == "CHATKIT_OIDC_TOKEN":  # a kind of token
                    assert value in {"access", "id"}
                    continue
                if name == "CHATKIT_TURNSTILE_SITE_KEY":  # every page has it
                    assert value == EVERYTHING["turnstileSiteKey"]
                    continue
                assert not re.search(r"(?:_KEY|TOKEN|PASSWORD)$", name), name
