"""What a deployment has of a person."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from functions.attachments.schema import SPILL
from functions.aws.keys import named
from functions.store import keys
from functions.store.people import prefixes
from functions.web.identity.anonymous import is_anonymous
from infra.cli.deployment import Deployment
from infra.cli.typed import CommandError

STAYS: Final = {
    keys.TOMBSTONE: "marks of deleted conversations (ids only), for a day, so that an answer that "
    "was still being written cannot bring one back",
    keys.COUNTERS: "what was used of the limits, as numbers, until two days after the last use: "
    "otherwise deleting oneself would reset limits",
    keys.SIGNED_OUT: "when the person signed out everywhere, for 401 days, so that older tokens "
    "stay invalid",
}
"""Rows that stay when a person is deleted, and why."""

CONVERSATION: Final = keys.THREAD.rstrip("#")

NAMES: Final = {
    CONVERSATION: "conversations",
    keys.ITEM.rstrip("#"): "messages and other items of them",
    keys.FEEDBACK.rstrip("#"): "thumbs up and down",
    keys.RECORD.rstrip("#"): "records of the assistant, pending approvals included",
    keys.ENDED.rstrip("#"): "records of answers",
    keys.GONE.rstrip("#"): "deleted conversations that are not removed yet",
}


@dataclass
class Survey:
    """What is there of one person."""

    rows: Counter[str] = field(default_factory=Counter)
    """Their number by kind: the part of the sort key before `#`."""
    objects: dict[str, int] = field(default_factory=dict)
    """Bytes by key."""
    last: str = ""
    """The last activity in a conversation, as `functions.store.keys.stamp` writes it."""

    @property
    def conversations(self) -> int:
        return self.rows[CONVERSATION]

    @property
    def files(self) -> dict[str, int]:
        """The objects that are no bodies of items."""
        return {key: size for key, size in self.objects.items() if not key.startswith(SPILL)}

    @property
    def is_empty(self) -> bool:
        return not self.objects and all(kind in STAYS for kind in self.rows)

    def lines(self) -> list[str]:
        """What there is, as lines of a table."""
        counted = {name: self.rows[kind] for kind, name in NAMES.items()}
        of_files = sum(self.files.values())
        counted[f"files ({of_files:,} bytes)"] = len(self.files)
        bodies = len(self.objects) - len(self.files)
        counted[f"large texts ({sum(self.objects.values()) - of_files:,} bytes)"] = bodies
        known = {*NAMES, *STAYS}
        counted["other rows (copies, links, runs)"] = sum(
            n for kind, n in self.rows.items() if kind not in known
        )
        return [f"  {number:>9,}  {what}" for what, number in counted.items() if number]

    def staying(self) -> list[str]:
        """What a deletion does not remove, as lines of a table."""
        return [f"  {n:>9,}  {STAYS[kind]}" for kind, n in self.rows.items() if kind in STAYS]


async def survey(deployment: Deployment, user: str, partitions: Iterable[str]) -> Survey:
    """Read every row of `partitions` and list every object of the user.

    One query for each partition and megabyte, and one request for each 1,000 objects.
    """
    found, own = Survey(), keys.user_partition(named(user))
    for partition in sorted(partitions):
        query = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ProjectionExpression": "sk, #position",
            "ExpressionAttributeNames": {"#position": "position"},
        }
        async for row in deployment.table.query(**query):
            kind = row["sk"]["S"].partition("#")[0]
            found.rows[kind] += 1
            if kind == CONVERSATION and partition == own and "position" in row:
                found.last = max(found.last, row["position"]["S"].partition("#")[0])
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    for prefix in prefixes(named(user)):
        for page in pages.paginate(Bucket=deployment.bucket_name, Prefix=prefix):
            found.objects |= {entry["Key"]: entry["Size"] for entry in page.get("Contents", [])}
    return found


def surveyed(deployment: Deployment, user: str) -> Survey:
    """`survey` of all partitions that rows of the user name."""

    async def read() -> Survey:
        return await survey(deployment, user, await deployment.store.user_partitions(user))

    return asyncio.run(read())


def checked(user: str | None, command: str) -> str:
    """The user's id as it was typed. Raises `CommandError` without one, and for a token."""
    if not user:
        raise CommandError(
            f"Name the person in the command itself: {command} (the variable USER of your shell "
            "does not count). make find-user finds the id."
        )
    refuse_token(user)
    return user


def refuse_token(typed: str) -> None:
    """Raise `CommandError` for a session's token, which opens the conversations of its person."""
    if is_anonymous(typed) or (typed.startswith("ey") and typed.count(".") >= 2):  # noqa: PLR2004
        raise CommandError(
            "This is a token, which opens somebody's conversations. Ask them for the id that the "
            "page shows under Your data, and remove the token from your shell's history."
        )
