"""What the functions get as environment variables, and how the streaming one starts."""

import json
import os

import pytest

from tests.infra.stack.variants import VARIANTS


@pytest.mark.parametrize(
    ("architecture", "layer"),
    [("arm64", "LambdaAdapterLayerArm64:30"), ("x86_64", "LambdaAdapterLayerX86:30")],
)
def test_the_web_adapter_takes_the_place_of_our_loop(architecture, layer):
    from infra.stack.context import read_settings
    from infra.stack.environment import runtime

    settings = read_settings({"streaming": "web-adapter", "architecture": architecture})
    started = runtime(settings, region="eu-central-1")
    assert started.layers == [f"arn:aws:lambda:eu-central-1:753240598075:layer:{layer}"]
    assert started.environment["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    assert started.environment["AWS_LWA_INVOKE_MODE"] == "response_stream"
    assert started.environment["AWS_LWA_READINESS_CHECK_PATH"] == "/chatkit/health"
    assert int(started.environment["AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS"]) >= 1


def test_the_web_adapter_is_given_a_script_that_can_be_run(synth):
    from functions.settings import ROOT

    template = synth(**VARIANTS["web adapter"])["chatkit-dev"]
    script = ROOT / template.only("AWS::Lambda::Function", "ChatFunction")["Handler"]
    assert os.access(script, os.X_OK)


def test_every_variable_of_the_functions_is_one_that_they_read(synth):
    from functions.metrics import NAMESPACE_VARIABLE
    from functions.settings import Settings

    known = {
        alias
        for name, field in Settings.model_fields.items()
        for alias in (
            [f"CHATKIT_{name.upper()}"]
            if field.validation_alias is None
            else getattr(field.validation_alias, "choices", [field.validation_alias])
        )
    }
    ours = {"CHATKIT_LOG_LEVEL", NAMESPACE_VARIABLE}
    for variant in VARIANTS.values():
        for name, template in synth(**variant).items():
            if "edge" in name:
                continue
            for prefix in ("ChatFunction", "ActionsFunction"):
                function = template.only("AWS::Lambda::Function", prefix)
                told = set(function["Environment"]["Variables"])
                assert {n for n in told if not n.startswith("AWS_L")} <= known | ours


def test_only_the_streaming_function_knows_the_collector_of_traces_and_reads_its_headers(synth):
    template = synth(**VARIANTS["own everything"])["chatkit-dev"]
    told = {
        name: template.only("AWS::Lambda::Function", f"{name}Function")["Environment"]["Variables"]
        for name in ("Chat", "Actions")
    }
    assert told["Chat"]["CHATKIT_OTLP_ENDPOINT"] == "https://traces.example.com"
    assert told["Chat"]["CHATKIT_OTLP_HEADERS_SECRET"] == "traces/headers"
    assert "OTLP" not in json.dumps(told["Actions"])
    readers = [
        name
        for name, policy in template.of_type("AWS::IAM::Policy").items()
        if "secret:traces/headers-" in json.dumps(policy)
    ]
    assert [name.startswith("Chat") for name in readers] == [True]


@pytest.mark.parametrize(
    ("typed", "provider", "listens"),
    [
        ({}, None, False),
        ({"provider": "openai"}, "openai", True),
        ({"provider": "openai", "voice": "false"}, None, False),
        ({"provider": "gemini"}, "gemini", True),
        (VARIANTS["own everything"], "openai", True),
        (
            {"provider": "compatible", "model": "m", "modelBaseUrl": "https://llm.example.com/v1"},
            None,
            False,
        ),
        (
            {
                "provider": "compatible",
                "model": "m",
                "modelBaseUrl": "https://llm.example.com/v1",
                "voice": "true",
            },
            "openai",
            True,
        ),
    ],
)
def test_the_functions_transcribe_where_the_settings_say_so(synth, typed, provider, listens):
    from infra.stack.context import read_settings
    from infra.stack.environment import settings_from

    (template,) = (t for name, t in synth(**typed).items() if "edge" not in name)
    for name in ("ChatFunction", "ActionsFunction"):
        variables = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        reads = settings_from({n: str(v) for n, v in variables.items() if not n.startswith("AWS_")})
        assert reads.voice_provider == provider
        assert read_settings(typed).transcribes is listens


def test_both_functions_believe_what_the_edge_says_of_the_viewer(dev):
    for name in ("ChatFunction", "ActionsFunction"):
        told = dev.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        assert told["CHATKIT_BEHIND_CLOUDFRONT"] == "true"


def test_both_functions_get_the_limits_and_the_address_that_transcribes(synth):
    template = synth(**VARIANTS["own everything"])["chatkit-dev"]
    for name in ("ChatFunction", "ActionsFunction"):
        told = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        assert told["CHATKIT_ATTACHMENT_MAX_BYTES"] == "1048576"
        assert told["CHATKIT_ATTACHMENT_TYPES"] == "image/png,application/x-notebook+json"
        assert told["CHATKIT_TRANSCRIPTION_BASE_URL"] == "https://whisper.example.com/v1"
        assert told["CHATKIT_TRANSCRIPTION_MODEL"] == "whisper-large"
        assert told["CHATKIT_TRANSCRIPTION_API_KEY_SECRET"] == "whisper/key"


def test_both_functions_and_the_page_are_told_how_people_sign_in(synth):
    from infra.stack.environment import settings_from
    from infra.stack.page_config import page_config

    template = synth(**VARIANTS["own everything"])["chatkit-dev"]
    for name in ("ChatFunction", "ActionsFunction"):
        told = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        reads = settings_from({n: str(v) for n, v in told.items() if not n.startswith("AWS_")})
        assert reads.auth == "oidc"
        assert {
            n: getattr(reads, n) for n in type(reads).model_fields if n.startswith("oidc_")
        } == {
            "oidc_issuer": "https://login.example.com/",
            "oidc_client_id": "page",
            "oidc_audience": "https://chat.example.com",
            "oidc_token": "access",
            "oidc_optional": True,
            "oidc_scopes": "openid offline_access",
            "oidc_user_claim": "uid",
            "oidc_name_claim": "nickname",
            "oidc_tenant_claim": "org_id",
            "oidc_roles_claim": "roles",
        }
    config = page_config(reads)
    assert config["auth"] == "oidc"
    assert config["signIn"] == {
        "issuer": "https://login.example.com/",
        "clientId": "page",
        "scope": "openid offline_access",
        "audience": "https://chat.example.com",
        "token": "access",
        "optional": True,
    }
    # What needs a role is not in a file that everybody can read.
    assert "llama-large" not in str(config)


def test_the_functions_choose_the_models_of_the_stage_from_their_variables(synth):
    from functions.llm import choose
    from infra.stack.environment import settings_from
    from infra.stack.page_config import page_config

    template = synth(**VARIANTS["models of several providers"])["chatkit-dev"]
    told = template.only("AWS::Lambda::Function", "ChatFunction")["Environment"]["Variables"]
    reads = settings_from({n: str(v) for n, v in told.items() if not n.startswith("AWS_")})
    choice = choose(reads)
    assert {model.id: model.provider for model in choice.models} == {
        "claude": "bedrock",
        "nova": "bedrock",
        "mine": "bedrock",
        "gpt-5": "openai",
        "flash": "gemini",
        "deployed": "azure",
        "llama": "compatible",
    }
    assert choice.every_name == (*choice.names, "openai.gpt-oss-20b-1:0")
    assert choice.every_name == tuple(reads.prices)
    shown = page_config(reads)["models"]
    assert shown[0] == {"id": "claude", "label": "claude", "default": True}
    assert shown[3] == {"id": "gpt-5", "label": "GPT-5", "default": False}


def test_the_page_does_not_sign_in_without_a_client_of_its_own():
    """A page around the chat has a sign-in of its own then, and passes its token."""
    from functions.settings import Settings
    from infra.stack.page_config import page_config

    oidc = {"auth": "oidc", "oidc_issuer": "https://i", "oidc_audience": "a"}
    assert page_config(Settings(_env_file=None))["signIn"] is None
    assert page_config(Settings(_env_file=None, **oidc))["signIn"] is None


def test_the_page_asks_for_its_use_where_a_person_has_limits_of_the_day(synth):
    from functions.settings import Settings
    from infra.stack.environment import settings_from
    from infra.stack.page_config import page_config

    def asks(settings):
        return page_config(settings)["features"]["usage"]

    template = synth()["chatkit-dev"]
    told = template.only("AWS::Lambda::Function", "ChatFunction")["Environment"]["Variables"]
    assert asks(settings_from({n: str(v) for n, v in told.items() if not n.startswith("AWS_")}))
    assert not asks(Settings(_env_file=None, messages_per_minute=10, messages_per_day=100))
    assert asks(Settings(_env_file=None, limits='{"person": {"upload_bytes_per_day": 1}}'))


def test_nothing_of_sign_in_is_told_where_visitors_are_anonymous(synth):
    template = synth()["chatkit-dev"]
    told = template.only("AWS::Lambda::Function", "ChatFunction")["Environment"]["Variables"]
    assert told["CHATKIT_AUTH"] == "anonymous"
    assert not [name for name in told if "OIDC" in name]


def test_both_functions_and_the_page_are_told_of_the_challenge_and_no_secret(synth, dev):
    from infra.stack.environment import settings_from
    from infra.stack.page_config import page_config

    template = synth(**VARIANTS["everything set"])["chatkit-prod"]
    (secret,) = (n for n in template.of_type("AWS::SecretsManager::Secret") if "Turnstile" in n)
    for name in ("ChatFunction", "ActionsFunction"):
        told = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        assert told["CHATKIT_TURNSTILE_SECRET_NAME"] == {"Ref": secret}
        reads = settings_from({n: str(v) for n, v in told.items() if not n.startswith("AWS_")})
        assert reads.turnstile_site_key == "0x4AAAAAAATest-Widget"
        assert reads.turnstile_secret is None
    assert page_config(reads)["challenge"] == {
        "script": "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit",
        "siteKey": "0x4AAAAAAATest-Widget",
        "action": "chatkit_session",
    }
    variables = dev.only("AWS::Lambda::Function", "ChatFunction")["Environment"]["Variables"]
    assert not [name for name in variables if "TURNSTILE" in name]
    assert page_config(settings_from({}))["challenge"] is None


def test_the_stack_says_which_secret_the_widgets_key_goes_into(synth, dev):
    outputs = synth(**VARIANTS["everything set"])["chatkit-prod"].body["Outputs"]
    assert "Turnstile" in outputs["TurnstileSecret"]["Value"]["Ref"]
    assert "TurnstileSecret" not in dev.body["Outputs"]
