"""`make delete-user`: deletes everything of one person, and proves that it is gone."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from functions.aws.bucket import DELETE_BATCH
from functions.aws.keys import named, part
from functions.store import keys
from functions.store.expiry import DAY
from functions.store.people import prefixes
from functions.store.totals import QUESTION, QUESTION_SECONDS
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.people import Survey, checked, survey
from infra.cli.progress import Progress
from infra.cli.terminal import confirm, say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at how far a deletion is."""

WAIT_SECONDS: Final = 60.0
"""How long the command waits for the table's stream to remove the lines of the report."""


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    user = checked(typed.option("--user"), "make delete-user USER=anon_…")
    deployment = Deployment.of(settings, account, "make delete-user STAGE=prod …")
    delete(deployment, user, sure=typed.sure)


def delete(
    deployment: Deployment, user: str, *, sure: bool, wait: Callable[[float], None] = time.sleep
) -> None:
    """Show what there is of a person, delete it, and read every place again.

    Asks for a yes on standard input unless the person who types is `sure`. Raises `CommandError`
    when the answer is no, and when something is left.
    """
    partitions = asyncio.run(deployment.store.user_partitions(user))
    before = asyncio.run(survey(deployment, user, partitions))
    versions = len(list(_versions(deployment, user)))
    say(f"{user} in {deployment.name}:")
    if before.is_empty and not versions:
        say("  Nothing is stored.")
        _say_what_stays(deployment, before)
        return
    for line in before.lines():
        say(line)
    if versions > len(before.objects):
        say(f"  {versions:>9,}  versions of these files and texts, in the bucket")
    confirm("Delete all of this?", sure=sure, otherwise="Nothing is deleted.")
    asyncio.run(_delete(deployment, user, before.conversations))
    _delete_versions(deployment, user)
    after = asyncio.run(survey(deployment, user, partitions))
    left = after.lines()
    if number := _wait_for_the_report(deployment, partitions, wait):
        left.append(f"  {number:>9,}  lines of the report, which the table's stream removes")
    if number := len(list(_versions(deployment, user))):
        left.append(f"  {number:>9,}  versions of files and texts, in the bucket")
    if left:
        for line in left:
            say(line)
        raise CommandError(
            "This is there again, or still: an answer may have been running. Type the command "
            "again."
        )
    read = f"{len(partitions):,} partitions of the table and {len(prefixes('')):,} folders"
    say(f"Deleted. All {read} were read again: nothing of it is left.")
    _say_what_stays(deployment, after)


async def _delete(deployment: Deployment, user: str, conversations: int) -> None:
    progress = Progress("Deleting conversations", conversations)
    deleting = asyncio.create_task(deployment.store.delete_user(user))
    while True:
        await asyncio.wait([deleting], timeout=LOOK_SECONDS)
        if deleting.done():
            break
        left = await survey(deployment, user, await deployment.store.user_partitions(user))
        progress.show(max(0, conversations - left.conversations))
    await deleting
    progress.show(conversations)
    progress.end()


def _delete_versions(deployment: Deployment, user: str) -> None:
    """Remove all versions of the person's objects, where the bucket keeps them."""
    client = deployment.client("s3")
    for batch in _batches(list(_versions(deployment, user))):
        answer = client.delete_objects(
            Bucket=deployment.bucket_name, Delete={"Objects": batch, "Quiet": True}
        )
        if answer.get("Errors"):
            raise CommandError(f"{len(answer['Errors'])} versions could not be removed: try again.")


def _versions(deployment: Deployment, user: str) -> Iterator[dict[str, str]]:
    """Every version of every object of the person, and every mark of a deleted one."""
    client = deployment.client("s3")
    if "Status" not in client.get_bucket_versioning(Bucket=deployment.bucket_name):
        return  # the bucket has never kept versions
    pages = client.get_paginator("list_object_versions")
    for prefix in prefixes(named(user)):
        for page in pages.paginate(Bucket=deployment.bucket_name, Prefix=prefix):
            for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                yield {"Key": entry["Key"], "VersionId": entry["VersionId"]}


def _wait_for_the_report(
    deployment: Deployment, partitions: Iterable[str], wait: Callable[[float], None]
) -> int:
    """How many lines of the report still name a conversation of the person, once it was waited."""
    until = time.monotonic() + WAIT_SECONDS
    while number := asyncio.run(_lines_of_the_report(deployment, partitions)):
        if time.monotonic() > until:
            return number
        wait(LOOK_SECONDS)
    return 0


async def _lines_of_the_report(deployment: Deployment, partitions: Iterable[str]) -> int:
    """The rows of the report that name one of these conversations. Nothing else in the totals leads
    to a person.
    """
    conversations = {each.partition("#T#")[2] for each in partitions} - {""}
    now = datetime.now(UTC)
    months = {f"{now - timedelta(days=back):%Y-%m}" for back in range(QUESTION_SECONDS // DAY + 1)}
    found = 0
    for month in months if conversations else ():
        query = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :question)",
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.totals_partition(month)},
                ":question": {"S": QUESTION},
            },
            "ProjectionExpression": "#thread",
            "ExpressionAttributeNames": {"#thread": "thread"},
        }
        async for row in deployment.table.query(**query):
            found += "thread" in row and part(row["thread"]["S"]) in conversations
    return found


def _batches(entries: list[Any]) -> Iterable[list[Any]]:
    for first in range(0, len(entries), DELETE_BATCH):
        yield entries[first : first + DELETE_BATCH]


def _say_what_stays(deployment: Deployment, left: Survey) -> None:
    if lines := left.staying():
        say("What stays, and why:")
        for line in lines:
            say(line)
    if deployment.stage is None:
        return
    days = _recovery_days(deployment)
    if days:
        say(f"A restore of the table can still bring it back for {days} days (point-in-time).")
    say("Logs name people by a digest only, and expire. An account stays with its issuer.")


def _recovery_days(deployment: Deployment) -> int:
    """How many days DynamoDB keeps what was deleted; 0 where it does not."""
    described = deployment.client("dynamodb").describe_continuous_backups(
        TableName=deployment.table_name
    )
    recovery = described["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return 0
    return int(recovery.get("RecoveryPeriodInDays", 35))
