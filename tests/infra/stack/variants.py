"""The settings that the whole stack is tried with."""

import json
import re

MCP_SERVERS = """[
    {"name": "shop", "url": "https://shop.example.com/mcp", "tools": ["find", "buy"],
     "headers": {"authorization": {"secret": "shop/token"}, "x-chat": "1"}, "approve": ["buy"]},
    {"name": "files", "url": "https://files.example.com/mcp", "exchange": {
     "token_url": "https://login.example.com/token", "audience": "files", "client_id": "chat",
     "client_secret": {"secret": "files/client"}}}
]"""
RESTORED = "chatkit-dev-20261126T020000Z/stream/2026-11-26T02:10:00.000"
PROFILE = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3"

EVERYTHING = {
    "knowledge": "true",
    "stage": "prod",
    "region": "eu-central-1",
    "provider": "openai",
    "kms": "true",
    "isolation": "session",
    "snapStart": "true",
    "waf": "true",
    "edgeAlarms": "true",
    "domainName": "chat.example.com",
    "hostedZone": "Z0123ABC/example.com",
    "alarmEmail": "a@example.com",
    "turnstileSiteKey": "0x4AAAAAAATest-Widget",
    "allowedOrigins": "https://www.example.com",
    "architecture": "x86_64",
    "retentionDays": "90",
    "dailyBudget": "20",
    "fileVersions": "35",
    "githubRepository": "acme/chat",
    "reportText": "true",
    "example": "notify",
    "eventText": "true",
}


VARIANTS = {
    "nothing set": {},
    "everything set": EVERYTHING,
    "web adapter": {"streaming": "web-adapter", "provider": "gemini", "dashboard": "false"},
    "own everything": {
        "restoredTable": RESTORED,
        "cookieSecret": "chat/cookie",
        "provider": "compatible",
        "model": "llama",
        "modelBaseUrl": "https://llm.example.com/v1",
        "modelSecret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:llm-AbCdEf",
        "domainName": "chat.example.com",
        "certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/abc",
        "alarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "attachmentMaxBytes": "1048576",
        "attachmentTypes": "image/png, application/x-notebook+json",
        "transcriptionBaseUrl": "https://whisper.example.com/v1",
        "transcriptionModel": "whisper-large",
        "transcriptionSecret": "whisper/key",
        "chatConcurrency": "0",
        "actionsConcurrency": "0",
        "eventsConcurrency": "0",
        "models": "llama-large (staff)",
        "auth": "oidc",
        "oidcIssuer": "https://login.example.com/",
        "oidcClientId": "page",
        "oidcAudience": "https://chat.example.com",
        "oidcOptional": "true",
        "oidcScopes": "openid offline_access",
        "oidcOrigins": "https://tokens.example.com",
        "oidcUserClaim": "uid",
        "oidcNameClaim": "nickname",
        "oidcTenantClaim": "org_id",
        "oidcRolesClaim": "roles",
        "otlpEndpoint": "https://traces.example.com",
        "otlpHeadersSecret": "traces/headers",
        "mcpServers": MCP_SERVERS,
    },
    "models of several providers": {
        "provider": "bedrock",
        "region": "eu-central-1",
        "isolation": "session",
        "models": json.dumps(
            [
                {"id": "claude", "provider": "bedrock", "model": "eu.anthropic.claude-sonnet-4-6"},
                {"id": "nova", "provider": "bedrock", "model": "global.amazon.nova-2-lite-v1:0"},
                {"id": "mine", "provider": "bedrock", "model": PROFILE},
                {"id": "gpt-5", "label": "GPT-5", "provider": "openai"},
                {"id": "flash", "provider": "gemini", "model": "gemini-2.5-flash"},
                {"id": "deployed", "provider": "azure", "reasoning_effort": "low"},
                {"id": "llama", "provider": "compatible", "temperature": 0.2},
            ]
        ),
        "azureEndpoint": "https://my.openai.azure.com",
        "modelBaseUrl": "https://llm.example.com/v1",
        "fallbackModel": "openai.gpt-oss-20b-1:0",
    },
    "people sign in at Cognito": {"signIn": "cognito"},
    "people's data, signed in at Cognito": {
        "stage": "prod",
        "region": "eu-central-1",
        "deletionProtection": "true",
        "signIn": "cognito",
        "signUp": "true",
        "signInMfa": "required",
        "signInProviders": "Google",
        "domainEvents": "true",
        "eventText": "true",
        "oidcOptional": "true",
        "oidcTenantClaim": "custom:tenant",
        "allowedOrigins": "https://www.example.com,http://localhost:8000",
        "domainName": "chat.example.com",
        "hostedZone": "Z0123ABC/example.com",
        "kms": "true",
    },
}


def references(value):
    """Logical ids that a part of a template refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "Fn::Sub":
                text = inner[0] if isinstance(inner, list) else inner
                yield from re.findall(r"\$\{(\w+)", text)
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
