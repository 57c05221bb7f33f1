"""A command as somebody typed it, and why it cannot be done."""

from dataclasses import dataclass
from itertools import pairwise


class CommandError(Exception):
    """Why a command cannot be done, in one line for whoever typed it."""


@dataclass(frozen=True)
class Typed:
    """The name of a command, such as `deploy`, and what stands after it."""

    name: str
    arguments: list[str]

    def option(self, name: str) -> str | None:
        """The value of `--name value` or `--name=value`."""
        for argument, following in pairwise([*self.arguments, ""]):
            if argument == name:
                return following
            if argument.startswith(f"{name}="):
                return argument.removeprefix(f"{name}=")
        return None

    def has(self, flag: str) -> bool:
        return flag in self.arguments

    @property
    def sure(self) -> bool:
        """Whether nothing has to be asked."""
        return self.has("--yes")

    @property
    def context(self) -> dict[str, str]:
        """The CDK's context that was typed: each `-c name=value`."""
        found = {}
        for flag, value in pairwise(self.arguments):
            if flag in {"-c", "--context"}:
                name, _, given = value.partition("=")
                found[name] = given
        return found
