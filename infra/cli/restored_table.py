"""The table of a stage as it was: a restore into a new table, which is then made like the first.

AWS restores rows, keys, indexes and encryption, and neither stream, TTL, point-in-time recovery nor
tags; also, a new table may be deleted:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from functions.store import keys
from functions.store.schema import STREAM_VIEW, TTL_ATTRIBUTE
from functions.store.sweep import ATTRIBUTES, objects_of
from infra.cli.progress import Progress
from infra.cli.terminal import say
from infra.cli.typed import CommandError

PAUSE: Final = 10.0
"""Seconds between two looks at a table that is being made or changed."""

MAX_LOOKS: Final = 90
"""Looks at something that AWS makes in minutes."""

Wait = Callable[[float], None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """The moments that a table can be restored to."""

    earliest: datetime
    latest: datetime

    def check(self, at: datetime) -> None:
        """Raises `CommandError` when the table cannot be restored to `at`."""
        if not self.earliest <= at <= self.latest:
            raise CommandError(
                f"The table can be restored to a time from {said(self.earliest)} to "
                f"{said(self.latest)}, and {said(at)} is not in it."
            )


@dataclass
class Survey:
    """What a table holds: how many rows of each kind, and the objects that they name."""

    kinds: Counter[str] = field(default_factory=Counter)
    objects: set[str] = field(default_factory=set)
    threads: list[str] = field(default_factory=list)
    """The partitions of threads."""
    signed_out: list[str] = field(default_factory=list)
    """The partitions of people who have signed out everywhere."""

    @property
    def people(self) -> set[str]:
        """The people who have threads, as key parts."""
        return {keys.user_of(partition) for partition in self.threads}

    @property
    def rows(self) -> int:
        return self.kinds.total()


def moment(text: str | None) -> datetime:
    """`2026-11-26T02:00Z`. Raises `CommandError` for what is no moment with a time zone."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CommandError(f"Name a time with its zone: AT=2026-11-26T02:00Z, not {text or ''!r}.")
    return at.astimezone(UTC)


def said(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def window(client: Any, table: str) -> Window:
    """Raises `CommandError` when the table has no point-in-time recovery."""
    found = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = found.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise CommandError(f"{table} has no point-in-time recovery: nothing can be restored.")
    return Window(recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"])


def described(client: Any, table: str) -> dict[str, Any] | None:
    """What AWS says of a table; None when there is none."""
    try:
        answer: dict[str, Any] = client.describe_table(TableName=table)
    except client.exceptions.ResourceNotFoundException:
        return None
    found: dict[str, Any] = answer["Table"]
    return found


def size_of(client: Any, table: str) -> tuple[int, int]:
    """Bytes and rows, as AWS counts them every six hours."""
    found = described(client, table)
    if found is None:
        raise CommandError(f"There is no table {table}.")
    return int(found["TableSizeBytes"]), int(found["ItemCount"])


def restore(client: Any, source: str, target: str, at: datetime, *, wait: Wait) -> timedelta:
    """Restore into `target` and wait until it is there, or until one that was begun before is.

    Returns the time that it took to wait.
    """
    began = time.monotonic()
    if described(client, target) is None:
        client.restore_table_to_point_in_time(
            SourceTableName=source, TargetTableName=target, RestoreDateTime=at
        )
    _active(client, target, wait, tell=True)
    return timedelta(seconds=time.monotonic() - began)


def make_alike(client: Any, source: str, target: str, *, keep: bool, wait: Wait) -> str:
    """Give a restored table what a restore leaves out. Safe to repeat. Returns its stream's label.

    `keep` protects it from deletion, if the source is protected.
    """
    first, new = described(client, source), described(client, target)
    if first is None or new is None:
        raise CommandError(f"There is no table {source if first is None else target}.")
    if not new.get("StreamSpecification", {}).get("StreamEnabled"):
        stream = {"StreamEnabled": True, "StreamViewType": STREAM_VIEW}
        client.update_table(TableName=target, StreamSpecification=stream)
        _active(client, target, wait)
    protected = bool(first.get("DeletionProtectionEnabled")) and keep
    if protected != bool(new.get("DeletionProtectionEnabled")):
        client.update_table(TableName=target, DeletionProtectionEnabled=protected)
        _active(client, target, wait)
    ttl = client.describe_time_to_live(TableName=target)["TimeToLiveDescription"]
    if ttl.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        client.update_time_to_live(
            TableName=target,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
        )
    _recoverable(client, target, wait)
    tags = client.list_tags_of_resource(ResourceArn=first["TableArn"])["Tags"]
    # CloudFormation's own tags (`aws:…`) can only be set by AWS.
    own = [tag for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        client.tag_resource(ResourceArn=new["TableArn"], Tags=own)
    made = described(client, target)
    assert made is not None  # noqa: S101 - it was there before
    label: str = made["LatestStreamLabel"]
    return label


def forget_sweep(client: Any, table: str) -> None:
    """Remove how far a sweep was at that time: it is to look at the restored rows anew."""
    for row in rows_of(client, table, keys.SWEEP):
        client.delete_item(TableName=table, Key={name: row[name] for name in ("pk", "sk")})


def keep_signed_out(client: Any, source: str, target: str, partitions: list[str]) -> None:
    """Copy when people have signed out everywhere, or else their ended sessions would count."""
    for partition in partitions:
        key = keys.key(partition, keys.SIGNED_OUT)
        row = client.get_item(TableName=source, Key=key, ConsistentRead=True).get("Item")
        if row is not None:
            client.put_item(TableName=target, Item=row)


def rows_of(client: Any, table: str, partition: str) -> list[Row]:
    """All rows of a partition."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
        ConsistentRead=True,
    )
    return [row for page in pages for row in page["Items"]]


def survey(client: Any, table: str) -> Survey:
    """Read the keys of all rows: half a read unit for each 4 KB of the table."""
    found, about = Survey(), size_of(client, table)[1]
    progress = Progress("Reading rows", about)
    try:
        for row in _scanned(client, table):
            partition, sort = row["pk"]["S"], row["sk"]["S"]
            if partition == keys.SWEEP:
                continue
            found.kinds[sort.partition("#")[0]] += 1
            found.objects.update(objects_of(row))
            if partition.startswith(keys.USER) and sort.startswith(keys.THREAD):
                found.threads.append(f"{partition}#T#{sort.removeprefix(keys.THREAD)}")
            if sort == keys.SIGNED_OUT:
                found.signed_out.append(partition)
            if found.rows % 1000 == 0:
                progress.show(found.rows)
        progress.show(max(about, found.rows))
    finally:
        progress.end()
    return found


def _scanned(client: Any, table: str) -> Iterator[Row]:
    pages = client.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression=", ".join(ATTRIBUTES)
    )
    for page in pages:
        yield from page["Items"]


def _recoverable(client: Any, table: str, wait: Wait) -> None:
    """Turn point-in-time recovery on, which AWS refuses for some minutes after a table is made."""
    recovery = {"PointInTimeRecoveryEnabled": True}
    for _ in range(MAX_LOOKS):
        try:
            client.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification=recovery
            )
        except client.exceptions.ContinuousBackupsUnavailableException:
            wait(PAUSE)
        else:
            return
    raise CommandError(f"Point-in-time recovery of {table} cannot be turned on yet: try again.")


def _active(client: Any, table: str, wait: Wait, *, tell: bool = False) -> None:
    """Wait until the table can be used, and `tell` each minute that has passed."""
    began, minutes = time.monotonic(), 0
    while True:
        found = described(client, table)
        if found is not None and found["TableStatus"] == "ACTIVE":
            return
        passed = int(time.monotonic() - began) // 60
        if tell and passed > minutes:
            minutes = passed
            say(f"  AWS restores the table, {minutes} min")
        wait(PAUSE)
