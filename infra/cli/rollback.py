"""`make rollback`: the functions of a stage run the version before again, within seconds.

A deploy publishes a version of each function and points its alias `live` to it. The version before
stays, so the alias can point back. Nothing else is changed: not the table, the files, the settings
of other resources, or the page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.cli.account import Account
from infra.cli.deployment import stack_name
from infra.cli.terminal import confirm, say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

ALIAS = "live"
"""As in `infra.stack.function`, whose import starts the CDK's engine. A test compares the two."""

KEPT = 2
"""Versions of a function that stay after a deploy: the one that runs, and the one before. With
SnapStart AWS bills the snapshot of each."""


@dataclass(frozen=True)
class Version:
    """A published version of a function."""

    number: int
    published: str


@dataclass(frozen=True)
class Step:
    """One function, the version that its alias points to, and those before it, newest first."""

    function: str
    current: Version
    before: list[Version]


def command(typed: Typed, settings: StackSettings, account: Account) -> None:
    roll_back(account, stack_name(settings.stage), sure=typed.sure)


def roll_back(account: Account, stack: str, *, sure: bool) -> None:
    """Show what would run again, and point the aliases back. Asks for a yes unless `sure`.

    A function that the last deploy has added has no version before, and stays.

    Raises `CommandError`, and what botocore raises.
    """
    client = account.client("lambda")
    steps = _steps(account, client, stack)
    if not steps:
        raise CommandError(f"There are no functions in {stack}.")
    back = [step for step in steps if step.before]
    if not back:
        raise CommandError(f"{stack} was deployed once: there is no version before this one.")
    for step in steps:
        if not step.before:
            say(f"  {step.function}: stays as it is, for it has no version before")
    for step in back:
        to = step.before[0]
        say(
            f"  {step.function}: version {step.current.number} of {step.current.published} -> "
            f"version {to.number} of {to.published}"
        )
    confirm("Run these versions? The page stays as it is.", sure=sure)
    for step in back:
        client.update_alias(
            FunctionName=step.function, Name=ALIAS, FunctionVersion=str(step.before[0].number)
        )
    say("They run now. The next make deploy that changes a function replaces them.")


def remove_old_versions(account: Account, stack: str) -> None:
    """Delete the versions that `make rollback` does not need."""
    client = account.client("lambda")
    for step in _steps(account, client, stack):
        for version in step.before[KEPT - 1 :]:
            client.delete_function(FunctionName=step.function, Qualifier=str(version.number))


def _steps(account: Account, client: Any, stack: str) -> list[Step]:
    pages = account.client("cloudformation").get_paginator("list_stack_resources")
    functions = [
        resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    ]
    steps = []
    for function in functions:
        try:
            alias = client.get_alias(FunctionName=function, Name=ALIAS)
        except client.exceptions.ResourceNotFoundException:
            continue  # the CDK's own, for its custom resources
        versions = _versions(client, function)
        current = next(each for each in versions if str(each.number) == alias["FunctionVersion"])
        before = [each for each in versions if each.number < current.number]
        steps.append(Step(function, current, before))
    return steps


def _versions(client: Any, function: str) -> list[Version]:
    """The published versions, newest first."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    found = [
        Version(int(each["Version"]), _short(each["LastModified"]))
        for page in pages
        for each in page["Versions"]
        if each["Version"].isdigit()
    ]
    return sorted(found, key=lambda each: each.number, reverse=True)


def _short(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"
