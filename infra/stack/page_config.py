"""The content of `GET /config.json`: everything that the page reads at run time.

`make dev` serves it. In AWS the stack writes the same content into the site's bucket.
"""

from typing import Any

from functions import VERSION
from functions.attachments.schema import KINDS
from functions.context import RequestContext
from functions.limits.measures import MEASURES
from functions.llm import choose
from functions.settings import Settings
from functions.web.identity.turnstile import ACTION
from infra.assistant_package import assistant_package

CHATKIT_SCRIPT = "https://cdn.platform.openai.com/deployments/chatkit/chatkit.js"
"""OpenAI's element. Its version cannot be pinned, and it cannot be served from here."""

TURNSTILE_SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit"
"""The script of Turnstile's widget. Cloudflare wants it to be loaded from this very address:
https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/"""

LOCAL_DOMAIN_KEY = "local-dev"
"""On localhost the element accepts any key, but it needs one."""

MAX_FILES = 10


def page_config(
    settings: Settings,
    *,
    domain_key: str = LOCAL_DOMAIN_KEY,
    chat_url: str = "/chatkit",
    actions_url: str = "/actions",
) -> dict[str, Any]:
    """The page's configuration. The URLs are absolute when the API has another origin.

    Raises `ValueError` when the assistant's `page.json` is no JSON object.
    """
    package = assistant_package(settings.assistant)
    choice = choose(settings)
    # The models of everybody. The session names further ones to whoever has a role.
    labels = choice.labels_for(RequestContext(user_id="anybody"))
    voice = settings.voice_provider is not None
    return {
        "version": VERSION,
        "chatkitScript": CHATKIT_SCRIPT,
        "domainKey": domain_key,
        "api": {"chat": chat_url, "actions": actions_url},
        "auth": settings.auth,
        "anonymous": settings.auth == "anonymous" or settings.oidc_optional,
        "signIn": _sign_in(settings),
        "challenge": _challenge(settings),
        "assistant": package.page if package else {},
        "model": {"name": choice.names[0], "label": choice.label},
        "models": [
            {"id": name, "label": label, "default": name == choice.names[0]}
            for name, label in labels.items()
        ]
        if len(labels) > 1
        else [],
        "features": {
            "attachments": True,
            "dictation": voice,
            "voiceNotes": voice,
            "feedback": True,
            "entities": True,
            "usage": any(
                limit is not None and MEASURES[name].is_daily
                for name, limit in settings.limit_table.person
            ),
        },
        "attachments": {
            "maxSize": settings.attachment_max_bytes,
            "maxCount": MAX_FILES,
            "accept": {
                kind: [*KINDS[kind][1]] if kind in KINDS else []
                for kind in settings.attachment_types
            },
        },
    }


def _sign_in(settings: Settings) -> dict[str, Any] | None:
    """What the page needs to sign people in, or None when it cannot: without a client of its own,
    it takes the token of the page around it (`getToken`).
    """
    if settings.auth != "oidc" or settings.oidc_client_id is None:
        return None
    return {
        "issuer": settings.oidc_issuer,
        "clientId": settings.oidc_client_id,
        "scope": settings.oidc_scopes,
        "audience": settings.oidc_audience,
        "token": settings.oidc_token,
        "optional": settings.oidc_optional,
    }


def _challenge(settings: Settings) -> dict[str, str] | None:
    """What the page needs to show a new visitor the challenge, or None when there is none."""
    if settings.turnstile_site_key is None:
        return None
    return {
        "script": TURNSTILE_SCRIPT,
        "siteKey": settings.turnstile_site_key,
        "action": ACTION,
    }
