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

    def without_logs_that_end(self) -> list[str]:
        """Functions whose logs go to no log group of this template that forgets and ends with it.

        The group that Lambda makes by itself keeps everything, and outlives the stack.
        """
        groups = [
            {"Ref": name}
            for name, group in self.of_type("AWS::Logs::LogGroup").items()
            if group["Properties"].get("RetentionInDays") and group["DeletionPolicy"] == "Delete"
        ]
        return [
            name
            for name, function in self.of_type("AWS::Lambda::Function").items()
            if function["Properties"].get("LoggingConfig", {}).get("LogGroup") not in groups
        ]
