"""What a command says and asks."""

import sys

from infra.cli.typed import CommandError


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def confirm(question: str, *, sure: bool, otherwise: str = "Nothing is changed.") -> None:
    """Raises `CommandError` with `otherwise` unless the person is `sure` or types yes."""
    if sure:
        return
    sys.stdout.write(f"{question} Type yes: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise CommandError(otherwise)
