"""Settings: typed, from three places, and clear when they are wrong."""

import pytest

from infra.stack.context import SettingsError, read_settings
from infra.stack.settings import StackSettings

SHOP = '[{"name": "shop", "url": "https://shop.example/mcp", %s}]'
EXCHANGE = """{"token_url": "https://login.example/token", "audience": "shop", "client_id": "chat",
 "client_secret": {"secret": "client"}}"""


def test_nothing_set_is_a_whole_stage():
    settings = read_settings({})
    assert settings.stage == "dev"
    assert settings.provider == "demo"
    assert settings.chat_concurrency > 0
    assert settings.messages_per_day > 0


def test_the_command_line_beats_the_stage_and_the_stage_beats_the_file():
    context = {
        "chatkit": {"stage": "dev", "chatMemory": 1024, "logRetentionDays": 7},
        "stages": {"prod": {"chatMemory": 2048, "chatTimeout": 600, "waf": False}},
        "stage": "prod",
        "chatTimeout": "120",
    }
    settings = read_settings(context)
    assert (settings.stage, settings.chat_memory, settings.chat_timeout) == ("prod", 2048, 120)
    assert settings.log_retention_days == 7


def test_strings_of_the_command_line_become_what_they_mean():
    settings = read_settings(
        {
            "snapStart": "true",
            "logRetentionDays": "7",
            "allowedOrigins": "https://a.example, https://b.example",
        }
    )
    assert settings.log_retention_days == 7
    assert settings.snap_start is True
    assert settings.allowed_origins == ["https://a.example", "https://b.example"]


def test_an_empty_value_takes_a_setting_back_to_its_default():
    assert read_settings({"chatkit": {"model": "gpt-5"}, "model": ""}).model is None


def test_the_cdk_keeps_its_own_context_beside_ours():
    read_settings(
        {
            "@aws-cdk/core:target-partitions": ["aws"],
            "aws:cdk:enable-path-metadata": True,
            "availability-zones:account=1:region=x": ["a"],
        }
    )


@pytest.mark.parametrize(
    ("context", "line"),
    [
        ({"snapstart": "true"}, "There is no setting 'snapstart'. Did you mean snapStart?"),
        ({"stage": "Prod!"}, "stage='Prod!': String should match pattern"),
        ({"chatTimeout": "5"}, "chatTimeout='5': Input should be greater than or equal to 60"),
        ({"architecture": "riscv"}, "architecture='riscv': Input should be 'arm64' or 'x86_64'"),
        ({"allowedOrigins": "https://*.example"}, "is not an origin such as"),
        ({"frameAncestors": "example.com"}, "is not an origin such as"),
        ({"imageSources": "*"}, "is not an origin such as"),
        ({"assistant": "exmaples.support"}, "there is no exmaples.support in this repository"),
        ({"assistant": "../secrets"}, "assistant='../secrets': String should match pattern"),
        ({"provider": "compatible"}, "provider=compatible needs modelBaseUrl and model"),
        ({"modelBaseUrl": "https://x.example"}, "modelBaseUrl needs provider=compatible"),
        ({"modelSecret": "a"}, "modelSecret needs a provider other than demo"),
        ({"provider": "bedrock", "modelSecret": "a"}, "modelSecret: provider=bedrock needs no key"),
        ({"provider": "bedrock", "bedrockProject": "proj_1"}, "needs bedrockEndpoint=mantle"),
        ({"provider": "openai", "bedrockEndpoint": "mantle"}, "need provider=bedrock"),
        ({"provider": "bedrock", "voice": "true"}, "voice=true needs transcriptionBaseUrl or"),
        ({"provider": "azure", "model": "m"}, "models of azure need azureEndpoint"),
        ({"provider": "azure", "azureEndpoint": "https://a"}, "provider=azure needs model"),
        ({"azureEndpoint": "https://a"}, "azureEndpoint needs provider=azure"),
        ({"fallbackModel": "a"}, "model, models and fallbackModel need a provider other than demo"),
        (
            {"provider": "openai", "models": '[{"id": "a", "provider": "compatible"}]'},
            "models of a compatible server need modelBaseUrl",
        ),
        (
            {"dailyBudget": "5", "limits": '{"stage": {"dollars_per_day": 9}}'},
            "dailyBudget and dollars_per_day in limits.stage exclude each other",
        ),
        (
            {"dailyBudget": "5", "inputTokenPrice": "0", "outputTokenPrice": "0"},
            "dailyBudget needs prices, and that of demo is 0",
        ),
        (
            {
                "provider": "openai",
                "model": "dear",
                "prices": '{"dear": {"input": 15, "output": 120}}',
                "dailyBudget": "5",
                "limits": '{"stage_shards": 10}',
            },
            "would stop every answer of dear: $0.98 are reserved for one (answerTokens), and",
        ),
        ({"dailyBudget": "0"}, "dailyBudget='0': Input should be greater than 0"),
        ({"auth": "jwt"}, "auth='jwt': Input should be 'anonymous' or 'oidc'"),
        ({"auth": "oidc"}, "auth=oidc needs oidcIssuer"),
        ({"auth": "oidc", "oidcIssuer": "https://i"}, "needs oidcClientId or oidcAudience"),
        (
            {"oidcIssuer": "https://i", "oidcToken": "id"},
            "oidcIssuer, oidcToken: only with auth=oidc",
        ),
        ({"provider": "openai", "models": "o3 (staff)"}, "models with roles need oidcRolesClaim"),
        ({"provider": "openai", "models": "o3 (staff"}, "'o3 (staff' is not a model such as"),
        (
            {
                "provider": "openai",
                "models": "gpt-5-mini (staff)",
                "auth": "oidc",
                "oidcIssuer": "https://i",
                "oidcClientId": "c",
                "oidcRolesClaim": "roles",
            },
            "models: gpt-5-mini is the default, so it can need no role",
        ),
        ({"oidcOrigins": "https://tokens.example"}, "oidcOrigins: only with auth=oidc"),
        ({"oidcIssuer": "http://login.example"}, "an issuer is an https:// address"),
        (
            {"auth": "oidc", "oidcIssuer": "https://i", "oidcAudience": "a", "oidcToken": "id"},
            "oidcToken=id needs oidcClientId",
        ),
        (
            {
                "auth": "oidc",
                "oidcIssuer": "https://i",
                "oidcClientId": "c",
                "oidcAudience": "a",
                "oidcToken": "id",
            },
            "oidcAudience needs oidcToken=access",
        ),
        (
            {"signIn": "cognito", "turnstileSiteKey": "0x4"},
            "turnstileSiteKey: auth=oidc without oidcOptional=true has no visitors to challenge",
        ),
        ({"turnstileSiteKey": "0x4 secret"}, "turnstileSiteKey='0x4 secret': String should match"),
        ({"signIn": "google"}, "signIn='google': Input should be 'cognito'"),
        (
            {"signUp": "true", "signInMfa": "required"},
            "signUp, signInMfa: only with signIn=cognito",
        ),
        ({"signIn": "cognito", "auth": "anonymous"}, "signIn=cognito excludes auth=anonymous"),
        (
            {"signIn": "cognito", "oidcIssuer": "https://i"},
            "signIn=cognito excludes oidcIssuer, oidcClientId, oidcAudience and oidcOrigins",
        ),
        (
            {"signIn": "cognito", "oidcClientId": "c"},
            "signIn=cognito excludes oidcIssuer, oidcClientId, oidcAudience and oidcOrigins",
        ),
        (
            {"signIn": "cognito", "oidcOrigins": "https://tokens.example"},
            "signIn=cognito excludes oidcIssuer, oidcClientId, oidcAudience and oidcOrigins",
        ),
        (
            {"signIn": "cognito", "oidcScopes": "openid offline_access"},
            "oidcScopes: with signIn=cognito they are of openid, email, phone and profile",
        ),
        ({"signIn": "cognito", "oidcScopes": "email"}, "signIn=cognito needs openid"),
        (
            {"signIn": "cognito", "allowedOrigins": "http://127.0.0.1:8000"},
            "Cognito sends people back to https:// and http://localhost only",
        ),
        ({"domainName": "chat.example.com"}, "domainName needs certificateArn"),
        ({"hostedZone": "Z1/example.com"}, "certificateArn and hostedZone need domainName"),
        ({"waf": "true"}, "need a region: set AWS_REGION, or -c region="),
        ({"snapStart": "true", "streaming": "web-adapter"}, "needs streaming=native"),
        (
            {"alarmEmail": "a@example.com", "alarmTopicArn": "arn:aws:sns:eu-west-1:1:t"},
            "alarmEmail and alarmTopicArn exclude each other",
        ),
        ({"chatkit": "dev"}, "chatkit in cdk.json is not an object"),
        ({"attachmentMaxBytes": "0"}, "attachmentMaxBytes='0': Input should be greater than"),
        ({"attachmentMaxBytes": "20MB"}, "attachmentMaxBytes='20MB': Input should be a valid int"),
        ({"attachmentTypes": "image/png,pdf"}, "'pdf' is not a type such as image/png or text/*"),
        ({"attachmentTypes": "*"}, "'*' is not a type such as image/png or text/*"),
        ({"transcriptionBaseUrl": "http://whisper"}, "transcriptionBaseUrl='http://whisper'"),
        ({"voice": "true"}, "voice=true needs transcriptionBaseUrl or a provider other than demo"),
        (
            {"voice": "false", "transcriptionBaseUrl": "https://whisper.example/v1"},
            "voice=false excludes transcriptionBaseUrl",
        ),
        ({"transcriptionSecret": "whisper"}, "transcriptionSecret needs transcriptionBaseUrl"),
        ({"mcpServers": "shop"}, "mcpServers: this is not JSON"),
        (
            {"mcpServers": '[{"name": "shop", "url": "http://shop.example/mcp"}]'},
            "mcpServers.0.url: this is not an https:// address",
        ),
        (
            {"mcpServers": SHOP % '"headers": {"X-Api-Key": "hidden"}'},
            "shop: headers.x-api-key has to name a secret",
        ),
        ({"mcpServers": SHOP % '"headers": {"mcp-session-id": "1"}'}, "cannot be set"),
        ({"mcpServers": SHOP % f'"exchange": {EXCHANGE}'}, "an exchange needs auth=oidc"),
        (
            {"mcpServers": SHOP % f'"headers": {{"authorization": "a"}}, "exchange": {EXCHANGE}'},
            "exclude each other",
        ),
        (
            {"transcriptionModel": "whisper-1"},
            "transcriptionModel needs a provider that transcribes",
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line(context, line):
    with pytest.raises(SettingsError) as caught:
        read_settings(context)
    assert line in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_one_setting_is_enough_for_cognito_and_what_it_decides_can_be_changed():
    settings = read_settings({"signIn": "cognito"})
    assert (settings.auth, settings.oidc_token) == ("oidc", "id")
    assert settings.oidc_roles_claim == "cognito:groups"
    changed = read_settings({"signIn": "cognito", "oidcRolesClaim": "custom:roles"})
    assert changed.oidc_roles_claim == "custom:roles"


def test_every_wrong_setting_is_named():
    with pytest.raises(SettingsError) as caught:
        read_settings({"chatMemory": "1", "waf": "perhaps"})
    assert [line.split("=")[0] for line in str(caught.value).splitlines()] == ["chatMemory", "waf"]


def test_every_setting_says_what_it_is_for():
    for name, field in StackSettings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


OWN = {"provider": "compatible", "model": "llama", "modelBaseUrl": "https://llm.example/v1"}
WHISPER = {"transcriptionBaseUrl": "https://whisper.example/v1"}


@pytest.mark.parametrize(
    ("typed", "transcribes", "by_gemini"),
    [
        ({}, False, False),
        ({"provider": "openai"}, True, False),
        ({"provider": "openai", "voice": "false"}, False, False),
        ({"provider": "gemini"}, True, True),
        ({"provider": "gemini", **WHISPER}, True, False),
        (OWN, False, False),
        ({**OWN, "voice": "true"}, True, False),
        ({**OWN, **WHISPER}, True, False),
        (WHISPER, True, False),
    ],
)
def test_voice_is_on_where_somebody_is_known_to_transcribe(typed, transcribes, by_gemini):
    """A compatible endpoint transcribes only when the settings say so: few of them can."""
    settings = read_settings(typed)
    assert (settings.transcribes, settings.gemini_transcribes) == (transcribes, by_gemini)


def test_files_are_limited_as_the_functions_limit_them_by_themselves():
    from functions.settings import Settings

    ours, theirs = read_settings({}), Settings(_env_file=None)
    assert ours.attachment_max_bytes == theirs.attachment_max_bytes
    assert ours.attachment_types == theirs.attachment_types


def test_a_budget_always_has_prices_which_are_those_of_all_tokens_where_a_model_has_none():
    from functions.limit_table import Price
    from functions.limits import Limits
    from functions.limits.answer_use import check_prices
    from functions.store.table import Table

    for provider in ("demo", "openai", "gemini"):
        typed = {"provider": provider, "dailyBudget": "5"}
        if provider != "demo":
            typed |= {"models": "other", "prices": '{"other": {"input": 9, "output": 9}}'}
        settings = read_settings(typed)
        prices = {name: Price(**price) for name, price in settings.model_prices.items()}
        assert prices[next(iter(prices))] == Price(input=0.25, output=2)
        check_prices(Limits(settings.limit_table, Table("t")), prices, list(prices))
