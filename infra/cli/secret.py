"""`make secret`: a key in one of the stage's secrets. No key is ever printed."""

import getpass
import sys
from typing import NoReturn

from functions.web.identity.signing_key import rotated
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.stack.models import SECRETS
from infra.stack.settings import StackSettings


def command(typed: Typed, settings: StackSettings, account: Account) -> None:
    key = typed.option("--key") or "model"
    if key not in {"model", "cookie", "turnstile", *SECRETS}:
        raise CommandError(
            f"There is no key {key!r}: KEY is model, cookie or turnstile, or the provider of "
            f"further models ({', '.join(SECRETS)})."
        )
    stage = Deployment.of_stage(settings, account)
    match key:
        case "cookie":
            rotate_cookie_key(stage, leaked=typed.has("--leaked"))
        case "turnstile":
            set_turnstile_secret(stage)
        case "model":
            set_secret(stage)
        case _:
            set_secret(stage, key)


def set_secret(stage: Deployment, provider: str | None = None) -> None:
    """Store a key, typed or piped in, in the stage's secret.

    With `provider` it is the key of this provider. Without, it is that of the provider that
    answers by default. Raises `CommandError`.
    """
    if provider == stage.outputs.get("Provider"):
        provider = None
    secret = stage.outputs.get("ModelSecret" if provider is None else f"{provider.title()}Secret")
    if secret is None:
        _has_no_secret(stage, provider)
    _set(stage, secret)


def _has_no_secret(stage: Deployment, provider: str | None) -> NoReturn:
    if provider is not None:
        raise CommandError(
            f"This stage has no further models of {provider} (`models`, docs/models.md)."
        )
    if stage.outputs.get("Provider") == "bedrock":
        raise CommandError(
            "This stage needs no key: Amazon Bedrock knows the function by its role."
        )
    raise CommandError(
        "This stage answers with the demo model: deploy it with -c provider=openai first."
    )


def set_turnstile_secret(stage: Deployment) -> None:
    """Store the secret key of Turnstile's widget in the same way. Raises `CommandError`."""
    if "TurnstileSecret" not in stage.outputs:
        raise CommandError(
            "This stage has no challenge: deploy it with -c turnstileSiteKey=… first."
        )
    _set(stage, stage.outputs["TurnstileSecret"])


def _set(stage: Deployment, secret: str) -> None:
    value = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not value.strip():
        raise CommandError("Nothing was typed. The secret is unchanged.")
    vault = stage.client("secretsmanager")
    vault.put_secret_value(SecretId=secret, SecretString=value.strip())
    say("Set. The functions read it within five minutes.")


def rotate_cookie_key(stage: Deployment, *, leaked: bool) -> None:
    """Put a new key before the newest one in the stage's secret, or in place of all of them when
    they have `leaked`. Raises `CommandError`.
    """
    if "CookieSecret" not in stage.outputs:
        # An older version would take the list of keys for one key, and everybody for somebody new.
        raise CommandError(
            "This stage runs a version that knows one key only: run `make deploy` first."
        )
    secret = stage.outputs["CookieSecret"]
    vault = stage.client("secretsmanager")
    value = vault.get_secret_value(SecretId=secret).get("SecretString", "")
    vault.put_secret_value(SecretId=secret, SecretString=rotated(value, leaked=leaked))
    if leaked:
        say("There is a new key. Within five minutes no other is accepted: all visitors are new.")
        return
    say("There is a new key. The previous one stays accepted, so visitors stay who they are.")
    say("Has it leaked? Then run make secret KEY=cookie LEAKED=yes.")
