"""A synthesized template, and the questions that tests ask of it."""

from typing import Any

ACCOUNT = "123456789012"


class Template:
    """One synthesized template: the data that CloudFormation gets."""

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
        """Functions without a log group here that has a retention and is deleted with the stack.

        A log group that Lambda creates by itself keeps its logs for ever and outlives the stack.
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
