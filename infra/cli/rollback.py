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
    published: datetime

    def __str__(self) -> str:
        return f"version {self.number} of {self.published:%Y-%m-%d %H:%M} UTC"


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

    A function that the last deploy has not changed stays, and so does one that it has added, which
    has no version before.

    Raises `CommandError`, and what botocore raises.
    """
    client = account.client("lambda")
    steps = _steps(account, client, stack)
    if not steps:
        raise CommandError(f"There are no functions in {stack}.")
    since = last_deploy(account, stack)
    changed = [step for step in steps if step.current.published >= since]
    if not changed:
        raise CommandError(
            f"The last deploy of {stack}, of {since:%Y-%m-%d %H:%M} UTC, changed no function, or "
            "was taken back already."
        )
    back = [step for step in changed if step.before]
    if not back:
        raise CommandError(f"{stack} was deployed once: there is no version before this one.")
    for step in steps:
        if step not in changed:
            say(f"  {step.function}: stays as it is, for the last deploy has not changed it")
        elif step in back:
            say(f"  {step.function}: {step.current} -> {step.before[0]}")
        else:
            say(f"  {step.function}: stays as it is, for it has no version before")
    confirm("Run these versions? The page stays as it is.", sure=sure)
    for step in back:
        client.update_alias(
            FunctionName=step.function, Name=ALIAS, FunctionVersion=str(step.before[0].number)
        )
    say("They run now. The next make deploy that changes a function replaces them.")


def last_deploy(account: Account, stack: str) -> datetime:
    """When CloudFormation began to make the stack what it is. Versions are published after that."""
    (found,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    moment: datetime = found.get("LastUpdatedTime", found["CreationTime"])
    return moment


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
        Version(int(each["Version"]), datetime.fromisoformat(each["LastModified"]))
        for page in pages
        for each in page["Versions"]
        if each["Version"].isdigit()
    ]
    return sorted(found, key=lambda each: each.number, reverse=True)
