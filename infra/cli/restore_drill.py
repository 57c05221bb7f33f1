"""`make restore-drill`: a restore into a table that is thrown away, compared with the stage's own.

It shows that a restore works and how long it takes. The stage is not changed.
"""

import random
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from functions.store import keys
from infra.cli.account import Account
from infra.cli.restore import Clients, Place, tell_counts, tell_plan
from infra.cli.restored_files import plan
from infra.cli.restored_table import (
    Wait,
    described,
    make_alike,
    restore,
    rows_of,
    said,
    survey,
    window,
)
from infra.cli.terminal import confirm, say
from infra.cli.typed import Typed
from infra.stack.settings import StackSettings

SAMPLE: Final = 50
"""Threads that are compared row by row."""


def command(typed: Typed, settings: StackSettings, account: Account) -> None:
    """Ends this process with 1 when what was restored is not the same."""
    if not drill(Place.of_stage(settings, account), Clients.of(account), sure=typed.sure):
        sys.exit(1)


def drill(
    place: Place,
    clients: Clients,
    *,
    sure: bool,
    wait: Wait = time.sleep,
    chance: int | None = None,
) -> bool:
    """Restore the newest moment that AWS offers, compare, and delete the table again.

    Returns whether everything compared is the same. `chance` makes the sample the same each time.
    Asks for a yes unless `sure`. Raises `CommandError`.
    """
    client = clients.dynamodb
    at = window(client, place.table).latest
    target = f"{place.stack}-drill-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    say(
        f"Restores {place.table} as of {said(at)} into {target}, reads the keys of both tables,\n"
        f"compares up to {SAMPLE} threads row by row, looks for the files, and deletes {target}.\n"
        "AWS bills a restore by the size, and what is read. The stage is not changed."
    )
    confirm("Do it?", sure=sure)
    try:
        took = restore(client, place.table, target, at, wait=wait)
        say(f"  Restored in {took.total_seconds() / 60:.1f} min")
        label = make_alike(client, place.table, target, keep=False, wait=wait)
        say(f"  Made like the first table; its stream is {label}")
        began = time.monotonic()
        now, then = survey(client, place.table), survey(client, target)
        tell_counts(then, now)
        size = min(SAMPLE, len(then.threads))
        sample = random.Random(chance).sample(then.threads, size)  # noqa: S311 - no secret
        same = _compare(client, place.table, target, sample, at)
        tell_plan(then, plan(clients.s3, place.bucket, then.objects, at))
        say(f"  Compared in {(time.monotonic() - began) / 60:.1f} min")
    finally:
        if described(client, target) is not None:
            client.delete_table(TableName=target)
            say(f"  {target} is deleted")
    return same


def _compare(client: Any, source: str, target: str, sample: list[str], at: datetime) -> bool:
    """Compare threads that have not changed since. Says which ones differ."""
    compared, different = 0, []
    for partition in sample:
        ours = client.get_item(
            TableName=source, Key=keys.thread_of(partition), ConsistentRead=True
        ).get("Item")
        # A position begins with the time of the thread's last activity.
        if ours is None or ours["position"]["S"] >= keys.stamp(at):
            continue
        compared += 1
        if rows_of(client, source, partition) != rows_of(client, target, partition):
            different.append(partition)
    say(f"  {compared} threads compared, {len(sample) - compared} have changed since")
    for partition in different:
        say(f"  DIFFERENT  {partition}")
    return not different
