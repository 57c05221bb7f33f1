"""`make deploy`: the CDK's deploy, checks before it, and a smoke test after it."""

import json
from collections.abc import Mapping

from infra.cli import cdk, smoke, table_version
from infra.cli.account import Account, AccountError, explained
from infra.cli.deployment import found_outputs, stack_name
from infra.cli.protection import what_protects
from infra.cli.rollback import remove_old_versions
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.stack.models import SECRETS
from infra.stack.settings import StackSettings

OUTPUTS = cdk.ROOT / "cdk.out" / "outputs.json"


def command(typed: Typed, settings: StackSettings, account: Account) -> None:
    stack = stack_name(settings.stage)
    refuse_newer_table(settings, account)
    cdk.run("deploy", "--all", "--outputs-file", str(OUTPUTS), *typed.arguments)
    outputs = json.loads(OUTPUTS.read_text())[stack]
    keep_table_version(account, outputs)
    remove_old_versions(account, stack)
    after_deploy(account, outputs)
    if advice := what_protects(settings):
        say(f"\n{advice}")


def refuse_newer_table(settings: StackSettings, account: Account) -> None:
    """Raise `CommandError` when a later version has written the table that the deploy would use.

    What may not be looked at, as by a role that an older version has made, is deployed unchecked.
    """
    try:
        with explained():
            outputs = found_outputs(settings, account)
            restored = (settings.restored_table or "").partition("/")[0]
            table = restored or (outputs or {}).get("TableName")
            if table is not None:
                table_version.check(account.client("dynamodb"), table)
    except AccountError as error:
        say(f"The version of the table was not checked. {error}")


def keep_table_version(account: Account, outputs: Mapping[str, str]) -> None:
    """Keep in the table which version writes it."""
    try:
        with explained():
            table_version.record(account.client("dynamodb"), outputs["TableName"])
    except AccountError as error:
        say(f"The version of the table was not kept. {error}")


def after_deploy(account: Account, outputs: Mapping[str, str]) -> None:
    """Print the page's address, run the smoke test, and say what to do next.

    Raises `CommandError` when the smoke test fails, and what botocore raises.
    """
    address = outputs["PageUrl"]
    say(f"\n  {address}\n")
    if "ModelSecret" in outputs and not _has_value(account, outputs["ModelSecret"]):
        say("The model's key is not set yet: run `make secret`, then")
        say(f"  .venv/bin/python -m infra.cli.smoke {address}")
        return
    for provider in SECRETS:
        secret = outputs.get(f"{provider.title()}Secret")
        if secret is not None and not _has_value(account, secret):
            say(f"The key of {provider} is not set yet: run `make secret KEY={provider}`.")
            say("Until then its models do not answer.")
    if "TurnstileSecret" in outputs and not _has_value(account, outputs["TurnstileSecret"]):
        say("Turnstile's secret key is not set yet: run `make secret KEY=turnstile`.")
        say("Until then nobody new can chat.")
    try:
        smoke.smoke(address, lambda line: say(f"  ok  {line}"))
    except smoke.SmokeError as error:
        raise CommandError(f"  FAILED  {error}") from None
    if "Next" in outputs:
        say(f"\nNext: {outputs['Next']}")


def _has_value(account: Account, secret: str) -> bool:
    found = account.client("secretsmanager").describe_secret(SecretId=secret)
    return bool(found.get("VersionIdsToStages"))
