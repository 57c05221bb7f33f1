"""`make synth`, `diff`, `destroy` and `bootstrap`: the pinned CDK.

It is the version of the CDK's command line that `infra/package-lock.json` pins, with a Node that it
supports.
"""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

from infra.cli.account import Account
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.local.setup import node_folder
from infra.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
LOCK = INFRA / "package-lock.json"
CLI = INFRA / "node_modules" / "aws-cdk" / "bin" / "cdk"


def command(typed: Typed, _: StackSettings, __: Account) -> None:
    match typed.name:
        case "synth":
            run("synth", "--quiet", *typed.arguments)
            say("The templates are in cdk.out.")
        case "diff" | "destroy":
            run(typed.name, "--all", *typed.arguments)
        case _:
            run(typed.name, *typed.arguments)


def run(*arguments: str) -> None:
    """Run the pinned CDK. Ends this process with the CDK's exit status when it fails.

    Raises `CommandError` when it cannot be installed.
    """
    path = os.pathsep.join((str(Path(sys.executable).parent), node_folder(), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path}
    _install(environment)
    done = subprocess.run(  # noqa: S603
        ["node", str(CLI), *arguments],  # noqa: S607
        cwd=ROOT,
        env=environment,
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)


def _install(environment: dict[str, str]) -> None:
    """Install the CDK unless it is there. Another command that does it is waited for."""
    with LOCK.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if installed():
            return
        say("Installing the CDK's command line.")
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],  # noqa: S607
            cwd=INFRA,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise CommandError("The CDK's command line could not be installed. Is there a network?")


def installed() -> bool:
    """Whether `infra/node_modules` is what the lock says."""
    listed = INFRA / "node_modules" / ".package-lock.json"
    if not (CLI.exists() and listed.exists()):
        return False
    wanted = json.loads(LOCK.read_text())["packages"]
    have = json.loads(listed.read_text())["packages"]
    return all(
        have.get(name, {}).get("version") == package["version"]
        for name, package in wanted.items()
        if name
    )
