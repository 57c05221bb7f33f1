"""The commands behind `make synth`, `diff`, `deploy`, `destroy`, `bootstrap`, `rollback`, `secret`,
`restore`, `restore-drill`, `budget`, `ingest`, `knowledge`, `logs`, `run`, `report`, `table`,
`seed`, `export-user`, `delete-user` and `find-user`.

    python -m infra.cli.command synth|diff|deploy|destroy|bootstrap [the CDK's own arguments]
    python -m infra.cli.command rollback [--yes] [-c stage=…]
    python -m infra.cli.command restore --at 2026-11-26T02:00Z [--yes] [-c stage=…]
    python -m infra.cli.command restore-drill [--yes] [-c stage=…]
    python -m infra.cli.command secret [--key model|cookie|turnstile] [--leaked] [-c stage=…]
    python -m infra.cli.command budget [--dollars 20 [--yes]] [-c stage=…]
    python -m infra.cli.command ingest [--dir docs] [--tenant …] [--roles …] [--tags …]
        [--reindex] [--yes] [-c stage=…]
    python -m infra.cli.command knowledge [-c stage=…]
    python -m infra.cli.command export-user --user … --out … [-c stage=…]
    python -m infra.cli.command delete-user --user … [--yes] [-c stage=…]
    python -m infra.cli.command find-user --query … [--tenant …] [-c stage=…]
    python -m infra.cli.command report --out folder [--days 30] [-c stage=…]
    python -m infra.cli.command table [--user …] [--thread …] [--page 40] [--after …] [--text]
        [-c stage=…]
    python -m infra.cli.command seed [--people 20] [--days 30] [--seed 1] [--clean] [--yes]
        [-c stage=…]
    python -m infra.cli.command logs [--since 2h] [-c stage=…]
    python -m infra.cli.command run [--run …] [-c stage=…]

They run the version of the CDK's command line that `infra/package-lock.json` pins, with a
Node that it supports. `deploy` ends with a smoke test of the deployment.
"""

import getpass
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from infra.cli import smoke
from infra.cli.account import Account, AccountError, explained, region_of
from infra.cli.protection import what_protects
from infra.cli.rollback import RollbackError, remove_old_versions, roll_back
from infra.local.setup import node_folder
from infra.stack.context import SettingsError, read_settings
from infra.stack.models import SECRETS
from infra.stack.settings import StackSettings

if TYPE_CHECKING:
    from infra.cli.knowledge import Library
    from infra.cli.logs import Log
    from infra.cli.people import Place

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
CLI = INFRA / "node_modules" / "aws-cdk" / "bin" / "cdk"
OUTPUTS = ROOT / "cdk.out" / "outputs.json"


def main() -> None:
    if len(sys.argv) < 2:  # noqa: PLR2004
        _stop(str(__doc__).strip())
    command, *arguments = sys.argv[1:]
    try:
        if command in _OF_MAKE_DEV and "stage" not in _context(arguments):
            _OF_MAKE_DEV[command](arguments, None, None)
            return
        profile = _option(arguments, "--profile")
        settings = read_settings(_context(arguments), region=region_of(profile))
        account = Account(settings, profile=profile)
        if command in {
            "diff", "deploy", "destroy", "bootstrap", "rollback", "restore", "restore-drill",
            "secret", *_OF_MAKE_DEV,
        }:  # fmt: skip
            account.check()  # before minutes are spent on building
        run(command, arguments, settings, account)
    except (SettingsError, AccountError) as error:
        _stop(str(error))
    except KeyboardInterrupt:
        _stop("\nStopped.")


def run(command: str, arguments: list[str], settings: StackSettings, account: Account) -> None:
    """Run one command. Raises `AccountError` when AWS refuses a request."""
    match command:
        case "synth":
            cdk("synth", "--quiet", *arguments)
            _say(f"The templates are in {_relative(ROOT / 'cdk.out')}.")
        case "diff":
            cdk("diff", "--all", *arguments)
        case "deploy":
            refuse_newer_table(settings, account)
            cdk("deploy", "--all", "--outputs-file", str(OUTPUTS), *arguments)
            outputs = json.loads(OUTPUTS.read_text())[_stack(settings)]
            keep_table_version(account, outputs)
            remove_old_versions(account, _stack(settings))
            after_deploy(account, outputs)
            if advice := what_protects(settings):
                _say(f"\n{advice}")
        case "destroy":
            cdk("destroy", "--all", *arguments)
        case "bootstrap":
            cdk("bootstrap", *arguments)
        case "rollback":
            try:
                roll_back(account, _stack(settings), sure="--yes" in arguments)
            except RollbackError as error:
                _stop(str(error))
        case "restore" | "restore-drill":
            bring_back(command, arguments, settings, account)
        case "secret":
            change_key(arguments, settings, account)
        case _ if command in _OF_MAKE_DEV:
            _OF_MAKE_DEV[command](arguments, settings, account)
        case _:
            commands = (
                "synth, diff, deploy, rollback, restore, restore-drill, destroy, bootstrap, secret"
            )
            more = ", ".join(_OF_MAKE_DEV)
            _stop(f"There is no command {command!r}: it is {commands}, {more}.")


def refuse_newer_table(settings: StackSettings, account: Account) -> None:
    """End this process when a later version has written the table that the deploy would use.

    What may not be looked at, as by a role that an older version has made, is deployed unchecked.
    """
    from infra.cli import table_version  # noqa: PLC0415 - slow to import

    try:
        outputs = _found_outputs(settings, account)
        restored = (settings.restored_table or "").partition("/")[0]
        table = restored or (outputs or {}).get("TableName")
        if table is not None:
            with explained():
                table_version.check(account.client("dynamodb"), table)
    except table_version.NewerTableError as error:
        _stop(str(error))
    except AccountError as error:
        _say(f"The version of the table was not checked. {error}")


def keep_table_version(account: Account, outputs: dict[str, str]) -> None:
    """Keep in the table which version writes it."""
    from infra.cli import table_version  # noqa: PLC0415 - slow to import

    try:
        with explained():
            table_version.record(account.client("dynamodb"), outputs["TableName"])
    except AccountError as error:
        _say(f"The version of the table was not kept. {error}")


def bring_back(
    command: str, arguments: list[str], settings: StackSettings, account: Account
) -> None:
    """Restore the table and the files of a stage, or try it. Ends this process with 1 when what was
    restored for a try is not the same. Raises `AccountError` when AWS refuses a request.
    """
    from infra.cli import restore, restore_drill  # noqa: PLC0415 - slow to import
    from infra.cli.restored_table import RestoreError  # noqa: PLC0415

    sure = "--yes" in arguments
    place = restore.Place.of_stage(settings.stage, _stack(settings), _outputs(settings, account))
    clients = restore.Clients.of(account)
    try:
        with explained():
            if command == "restore-drill":
                if not restore_drill.drill(place, clients, sure=sure):
                    sys.exit(1)
                return
            restore.restore_stage(place, clients, _option(arguments, "--at"), sure=sure)
    except RestoreError as error:
        _stop(str(error))


def change_key(arguments: list[str], settings: StackSettings, account: Account) -> None:
    """Store a key in one of the stage's secrets. Raises `AccountError`."""
    match _option(arguments, "--key") or "model":
        case "model":
            set_secret(settings, account)
        case "turnstile":
            set_turnstile_secret(settings, account)
        case "cookie":
            rotate_cookie_key(settings, account, leaked="--leaked" in arguments)
        case provider if provider in SECRETS:
            set_secret(settings, account, provider)
        case other:
            _stop(
                f"There is no key {other!r}: KEY is model, cookie or turnstile, or the provider of "
                f"further models ({', '.join(SECRETS)})."
            )


def cdk(*arguments: str) -> None:
    """Run the pinned CDK. Ends this process with the CDK's exit status when it fails."""
    path = os.pathsep.join((str(Path(sys.executable).parent), node_folder(), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path}
    if not _installed():
        _say("Installing the CDK's command line.")
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],  # noqa: S607
            cwd=INFRA,
            env=environment,
            check=False,
        )
        if done.returncode:
            _stop("The CDK's command line could not be installed. Is there a network?")
    done = subprocess.run(  # noqa: S603
        ["node", str(CLI), *arguments],  # noqa: S607
        cwd=ROOT,
        env=environment,
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)


def after_deploy(account: Account, outputs: dict[str, str]) -> None:
    """Print the page's address, run the smoke test, and say what to do next."""
    address = outputs["PageUrl"]
    _say(f"\n  {address}\n")
    if "ModelSecret" in outputs and not _has_value(account, outputs["ModelSecret"]):
        _say("The model's key is not set yet: run `make secret`, then")
        _say(f"  .venv/bin/python -m infra.cli.smoke {address}")
        return
    for provider in SECRETS:
        secret = outputs.get(f"{provider.title()}Secret")
        if secret is not None and not _has_value(account, secret):
            _say(f"The key of {provider} is not set yet: run `make secret KEY={provider}`.")
            _say("Until then its models do not answer.")
    if "TurnstileSecret" in outputs and not _has_value(account, outputs["TurnstileSecret"]):
        _say("Turnstile's secret key is not set yet: run `make secret KEY=turnstile`.")
        _say("Until then nobody new can chat.")
    try:
        smoke.smoke(address, lambda line: _say(f"  ok  {line}"))
    except smoke.SmokeError as error:
        _stop(f"  FAILED  {error}")
    if "Next" in outputs:
        _say(f"\nNext: {outputs['Next']}")


def set_secret(settings: StackSettings, account: Account, provider: str | None = None) -> None:
    """Store a key, typed or piped in, in the stage's secret. It is never printed.

    With `provider` it is the key of this provider. Without, it is that of the provider that
    answers by default. Raises `AccountError`.
    """
    outputs = _outputs(settings, account)
    if provider == outputs.get("Provider"):
        provider = None
    secret = outputs.get("ModelSecret" if provider is None else f"{provider.title()}Secret")
    if secret is None and provider is not None:
        _stop(f"This stage has no further models of {provider} (`models`, docs/models.md).")
    if secret is None and outputs.get("Provider") == "bedrock":
        _stop("This stage needs no key: Amazon Bedrock knows the function by its role.")
    if secret is None:
        _stop("This stage answers with the demo model: deploy it with -c provider=openai first.")
    _set(account, secret)


def set_turnstile_secret(settings: StackSettings, account: Account) -> None:
    """Store the secret key of Turnstile's widget in the same way. Raises `AccountError`."""
    outputs = _outputs(settings, account)
    if "TurnstileSecret" not in outputs:
        _stop("This stage has no challenge: deploy it with -c turnstileSiteKey=… first.")
    _set(account, outputs["TurnstileSecret"])


def _set(account: Account, secret: str) -> None:
    value = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not value.strip():
        _stop("Nothing was typed. The secret is unchanged.")
    with explained():
        account.client("secretsmanager").put_secret_value(
            SecretId=secret, SecretString=value.strip()
        )
    _say("Set. The functions read it within five minutes.")


def rotate_cookie_key(settings: StackSettings, account: Account, *, leaked: bool) -> None:
    """Put a new key before the newest one in the stage's secret, or in place of all of them when
    they have `leaked`. No key is printed.

    Raises `AccountError`.
    """
    from functions.web.identity.signing_key import rotated  # noqa: PLC0415 - slow to import

    outputs = _outputs(settings, account)
    if "CookieSecret" not in outputs:
        # An older version would take the list of keys for one key, and everybody for somebody new.
        _stop("This stage runs a version that knows one key only: run `make deploy` first.")
    secret = outputs["CookieSecret"]
    vault = account.client("secretsmanager")
    with explained():
        value = vault.get_secret_value(SecretId=secret).get("SecretString", "")
        vault.put_secret_value(SecretId=secret, SecretString=rotated(value, leaked=leaked))
    if leaked:
        _say("There is a new key. Within five minutes no other is accepted: all visitors are new.")
        return
    _say("There is a new key. The previous one stays accepted, so visitors stay who they are.")
    _say("Has it leaked? Then run make secret KEY=cookie LEAKED=yes.")


def change_budget(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Show the budget of today and, with `--dollars`, allow so many more for today: of the stage,
    or of the `make dev` that is running when no stage is given.

    Raises `AccountError` when AWS refuses a request.
    """
    from infra.cli import budget  # noqa: PLC0415 - slow to import

    try:
        place = (
            budget.of_make_dev()
            if settings is None or account is None
            else budget.of_stage(settings.stage, _outputs(settings, account), account)
        )
        with explained():
            budget.change(place, _option(arguments, "--dollars"), sure="--yes" in arguments)
    except budget.BudgetError as error:
        _stop(str(error))


def bring_documents_in(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Upload a folder of documents and wait until they are searchable: of the stage, or of the
    `make dev` that is running when no stage is given. Ends this process with 1 when some are not.

    Raises `AccountError` when AWS refuses a request.
    """
    from infra.cli import ingest, knowledge  # noqa: PLC0415 - slow to import

    folder = _option(arguments, "--dir")
    again = "--reindex" in arguments
    try:
        if not folder and not again:
            raise knowledge.KnowledgeError("Name a folder: make ingest DIR=docs")  # noqa: TRY301
        documents = (
            ingest.folder_of(
                folder,
                _option(arguments, "--tenant"),
                _option(arguments, "--roles"),
                _option(arguments, "--tags"),
            )
            if folder
            else None
        )
        with explained():
            done = ingest.ingest(
                _library(settings, account), documents, again=again, sure="--yes" in arguments
            )
    except knowledge.KnowledgeError as error:
        _stop(str(error))
    if not done:
        sys.exit(1)


def list_documents(
    _: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """List the documents of the stage or of `make dev`. Raises `AccountError`."""
    from infra.cli import knowledge  # noqa: PLC0415 - slow to import

    try:
        with explained():
            knowledge.show(_library(settings, account))
    except knowledge.KnowledgeError as error:
        _stop(str(error))


def write_report(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Write the report of the stage or of `make dev` into a folder. Raises `AccountError`."""
    from infra.cli import report  # noqa: PLC0415 - slow to import

    try:
        place = (
            report.of_make_dev()
            if settings is None or account is None
            else report.of_stage(settings.stage, _outputs(settings, account), account)
        )
        with explained():
            report.write(place, _option(arguments, "--out"), _option(arguments, "--days"))
    except report.ReportError as error:
        _stop(str(error))


def look_inside(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Show rows of the table of the stage or of `make dev`. Raises `AccountError`."""
    from infra.cli import people, table  # noqa: PLC0415 - slow to import

    try:
        wanted = table.asked(
            _option(arguments, "--user"),
            _option(arguments, "--thread"),
            _option(arguments, "--page"),
            _option(arguments, "--after"),
            words="--text" in arguments,
        )
        with explained():
            table.show(_people(settings, account, "table"), wanted)
    except people.PeopleError as error:
        _stop(str(error))


def make_demo_data(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Write made-up people and their conversations into the stage or `make dev`, or remove them.

    Raises `AccountError`.
    """
    from functions.settings import Settings  # noqa: PLC0415 - slow to import
    from infra.cli import people, seed  # noqa: PLC0415

    sure = "--yes" in arguments
    try:
        wanted = seed.asked(
            _option(arguments, "--people"),
            _option(arguments, "--days"),
            _option(arguments, "--seed"),
        )
        with explained():
            place = _people(settings, account, "seed")
            if "--clean" in arguments:
                seed.clean(place, sure=sure)
            else:
                kept = (settings or Settings()).retention_days
                seed.fill(place, wanted, sure=sure, retention_days=kept)
    except people.PeopleError as error:
        _stop(str(error))


def _library(settings: StackSettings | None, account: Account | None) -> "Library":
    from infra.cli import knowledge  # noqa: PLC0415 - slow to import

    if settings is None or account is None:
        return knowledge.of_make_dev()
    return knowledge.of_stage(settings.stage, _outputs(settings, account), account)


def export_user(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Write everything of a person into a folder. Raises `AccountError`."""
    from infra.cli import export_user, people  # noqa: PLC0415 - slow to import

    try:
        user = people.checked(
            _option(arguments, "--user"), "make export-user USER=anon_… OUT=folder"
        )
        out = _option(arguments, "--out")
        if not out:
            raise people.PeopleError("Name a folder: OUT=folder")  # noqa: TRY301
        with explained():
            export_user.export(_people(settings, account, "export-user"), user, Path(out))
    except people.PeopleError as error:
        _stop(str(error))


def delete_user(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Delete everything of a person, and prove that it is gone. Raises `AccountError`."""
    from infra.cli import delete_user, people  # noqa: PLC0415 - slow to import

    try:
        user = people.checked(_option(arguments, "--user"), "make delete-user USER=anon_…")
        place = _people(settings, account, "delete-user")
        with explained():
            delete_user.delete(place, user, sure="--yes" in arguments)
    except people.PeopleError as error:
        _stop(str(error))


def find_user(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Show under which id a person's data is stored. Raises `AccountError`."""
    from functions.settings import Settings  # noqa: PLC0415 - slow to import
    from infra.cli import find_user, people  # noqa: PLC0415

    try:
        place = _people(settings, account, "find-user")
        with explained():
            if settings is None or account is None:
                issuer = find_user.Issuer.of(find_user.variables_of_make_dev(Settings()))
            else:
                deployed = find_user.variables_of_stage(account, _stack(settings))
                pool = _outputs(settings, account).get("UserPoolId")
                issuer = find_user.Issuer.of(deployed, pool)
            find_user.find(
                place, _option(arguments, "--query"), issuer, _option(arguments, "--tenant")
            )
    except people.PeopleError as error:
        _stop(str(error))


def _people(settings: StackSettings | None, account: Account | None, command: str) -> "Place":
    from infra.cli import people  # noqa: PLC0415 - slow to import

    if settings is None or account is None:
        return people.of_make_dev(command)
    return people.of_stage(settings.stage, _outputs(settings, account), account)


def show_logs(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Follow or list the runs of the stage or of `make dev`. Raises `AccountError`."""
    from infra.cli import logs  # noqa: PLC0415 - slow to import

    try:
        with explained():
            logs.show_runs(_log(settings, account), _option(arguments, "--since"))
    except logs.LogsError as error:
        _stop(str(error))


def show_run(
    arguments: list[str], settings: StackSettings | None = None, account: Account | None = None
) -> None:
    """Tell of one run of the stage or of `make dev`. Raises `AccountError`."""
    from infra.cli import logs  # noqa: PLC0415 - slow to import

    run = _option(arguments, "--run")
    try:
        if not run:
            raise logs.LogsError("Name a run: make run RUN=…")  # noqa: TRY301
        with explained():
            logs.show_run(_log(settings, account), run)
    except logs.LogsError as error:
        _stop(str(error))


def _log(settings: StackSettings | None, account: Account | None) -> "Log":
    from infra.cli import logs  # noqa: PLC0415 - slow to import

    if settings is None or account is None:
        return logs.of_make_dev()
    return logs.of_stage(settings.stage, _outputs(settings, account), account)


_OF_MAKE_DEV = {
    "budget": change_budget,
    "ingest": bring_documents_in,
    "knowledge": list_documents,
    "export-user": export_user,
    "delete-user": delete_user,
    "find-user": find_user,
    "report": write_report,
    "table": look_inside,
    "seed": make_demo_data,
    "logs": show_logs,
    "run": show_run,
}
"""Commands that mean the running `make dev` when no stage is given."""


def _installed() -> bool:
    installed = INFRA / "node_modules" / ".package-lock.json"
    if not (CLI.exists() and installed.exists()):
        return False
    wanted = json.loads((INFRA / "package-lock.json").read_text())["packages"]
    have = json.loads(installed.read_text())["packages"]
    return all(
        have.get(name, {}).get("version") == package["version"]
        for name, package in wanted.items()
        if name
    )


def _context(arguments: list[str]) -> dict[str, Any]:
    """The CDK's context: `cdk.json`'s, and each `-c name=value`."""
    context = dict(json.loads((ROOT / "cdk.json").read_text())["context"])
    for flag, value in pairwise(arguments):
        if flag in {"-c", "--context"}:
            name, _, given = value.partition("=")
            context[name] = given
    return context


def _option(arguments: list[str], name: str) -> str | None:
    """The value of `--name value` or `--name=value`."""
    for argument, following in pairwise([*arguments, ""]):
        if argument == name:
            return following
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
    return None


def _outputs(settings: StackSettings, account: Account) -> dict[str, str]:
    """The outputs of the stage's stack. Ends this process when there is no stack."""
    outputs = _found_outputs(settings, account)
    if outputs is None:
        _stop(
            f"There is no stack {_stack(settings)} in this account and region. "
            "`make deploy` makes it."
        )
    return outputs


def _found_outputs(settings: StackSettings, account: Account) -> dict[str, str] | None:
    """The outputs of the stage's stack; None when there is no stack."""
    client = account.client("cloudformation")
    with explained():
        try:
            (stack,) = client.describe_stacks(StackName=_stack(settings))["Stacks"]
        except client.exceptions.ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _has_value(account: Account, secret: str) -> bool:
    with explained():
        found = account.client("secretsmanager").describe_secret(SecretId=secret)
    return bool(found.get("VersionIdsToStages"))


def _stack(settings: StackSettings) -> str:
    return f"chatkit-{settings.stage}"


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stop(why: str) -> NoReturn:
    sys.exit(why)


if __name__ == "__main__":
    main()
