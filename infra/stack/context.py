"""Reads the settings of a stage from the CDK's context.

They come from three places, and the later one wins: `chatkit` in `cdk.json`,
`stages.<stage>` in `cdk.json`, and `-c name=value` on the command line.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from infra.stack.settings import StackSettings


class SettingsError(Exception):
    """What is wrong with the settings, one line each, for the person who typed them."""


def read_settings(context: Mapping[str, Any], *, region: str | None = None) -> StackSettings:
    """The settings in a CDK app's context. `region` is the AWS tools' own, for when they name none.

    Raises `SettingsError` with one line for each thing that is wrong.
    """
    base = _block(context.get("chatkit"), "chatkit")
    stages = _block(context.get("stages"), "stages")
    typed = {name: value for name, value in context.items() if _is_ours(name)}
    stage = str(typed.get("stage", base.get("stage", "dev")))
    merged = {**base, "stage": stage, **_block(stages.get(stage), f"stages.{stage}"), **typed}
    # `-c name=` takes a setting back to its default.
    merged = {name: value for name, value in merged.items() if value != ""}
    if region:
        merged.setdefault("region", region)
    try:
        return StackSettings.model_validate(merged)
    except ValidationError as error:
        lines = [_explain(dict(problem)) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def _block(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{name} in cdk.json is not an object")
    return value


def _is_ours(name: str) -> bool:
    # The context also holds the CDK's flags (`@aws-cdk/…`), its own keys (`aws:cdk:…`) and what
    # it has looked up (`availability-zones:account=…`).
    return name not in {"chatkit", "stages"} and not re.search(r"[@:/]", name)


def _explain(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        known = [field.alias or key for key, field in StackSettings.model_fields.items()]
        close = difflib.get_close_matches(name, known, n=1)
        return f"There is no setting {name!r}." + (f" Did you mean {close[0]}?" if close else "")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not name:
        return message
    if name == "mcpServers":  # its input may have secrets
        place = ".".join(str(part) for part in problem["loc"])
        return f"{place}: {message}"
    return f"{name}={problem['input']!r}: {message}"
