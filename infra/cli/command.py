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

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from infra.cli.account import Account, explained, region_of
from infra.cli.typed import CommandError, Typed
from infra.stack.context import SettingsError, read_settings
from infra.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parents[2]

OF_A_STAGE = {
    "synth": "cdk",
    "diff": "cdk",
    "deploy": "deploy",
    "rollback": "rollback",
    "restore": "restore",
    "restore-drill": "restore_drill",
    "destroy": "cdk",
    "bootstrap": "cdk",
    "secret": "secret",
}
"""The modules of `infra.cli` with the commands that need a stage, by the commands' names."""

OF_MAKE_DEV = {
    "budget": "budget",
    "ingest": "ingest",
    "knowledge": "knowledge",
    "export-user": "export_user",
    "delete-user": "delete_user",
    "find-user": "find_user",
    "report": "report",
    "table": "table",
    "seed": "seed",
    "logs": "logs",
    "run": "logs",
}
"""Commands that mean the running `make dev` when no stage is given."""

MODULES = {**OF_A_STAGE, **OF_MAKE_DEV}


def main() -> None:
    if len(sys.argv) < 2:  # noqa: PLR2004
        sys.exit(str(__doc__).strip())
    name, *arguments = sys.argv[1:]
    try:
        with _in_one_line():
            settings, account = _stage(Typed(name, arguments))
        run(name, arguments, settings, account)
    except KeyboardInterrupt:
        sys.exit("\nStopped.")


def run(
    name: str, arguments: list[str], settings: StackSettings | None, account: Account | None
) -> None:
    """Run one command on a stage, or on `make dev` without `settings` and `account`.

    Each module has a function `command`, which reads the options. Ends this process with a line
    when the command cannot be done.
    """
    with _in_one_line(), explained():
        if name not in MODULES:
            raise CommandError(f"There is no command {name!r}: it is {', '.join(MODULES)}.")
        # Imported here: some modules are slow to import.
        module = import_module(f"infra.cli.{MODULES[name]}")
        module.command(Typed(name, arguments), settings, account)


def _stage(typed: Typed) -> tuple[StackSettings, Account] | tuple[None, None]:
    """The stage that is meant, whose account can be used; nothing when `make dev` is meant."""
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], **typed.context}
    if typed.name in OF_MAKE_DEV and "stage" not in context:
        return None, None
    profile = typed.option("--profile")
    settings = read_settings(context, region=region_of(profile))
    account = Account(settings, profile=profile)
    if typed.name in MODULES and typed.name != "synth":
        account.check()  # before minutes are spent on building
    return settings, account


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Ends this process with the line that an error has for whoever typed the command."""
    try:
        yield
    except (SettingsError, CommandError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
