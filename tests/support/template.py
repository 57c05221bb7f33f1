"""A synthesized template, as the tests ask it."""

from typing import Any

ACCOUNT = "123456789012"


class Template:
    """One synthesized template, as the plain data that CloudFormation gets."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.resources: dict[str, dict[str, Any]] = body.get("Resources", {})

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: r for name, r in self.resources.items() if r["Type"] == kind}

    def only(self, kind: str, prefix: str = "") -> dict[str, Any]:
        """The properties of the one resource of `kind` whose logical id begins with `prefix`."""
        found = [r for name, r in self.of_type(kind).items() if name.startswith(prefix)]
        assert len(found) == 1, f"{len(found)} of {kind} {prefix}*"
        return found[0].get("Properties", {})
