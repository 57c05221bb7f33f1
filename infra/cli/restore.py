"""`make restore`: a stage's conversations and files as they were, in a new table beside the old.

Nothing of the stage is changed until somebody deploys with the setting that it ends with. It can
be repeated: it goes on with the table that it began, and after the deploy it brings back the files
that were removed meanwhile.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from infra.cli import table_version
from infra.cli.account import Account
from infra.cli.deployment import Deployment, stack_name
from infra.cli.restored_files import Plan, bring_back, plan
from infra.cli.restored_table import (
    Survey,
    Wait,
    described,
    forget_sweep,
    keep_signed_out,
    make_alike,
    moment,
    restore,
    said,
    size_of,
    survey,
    window,
)
from infra.cli.terminal import confirm, say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

PRICES: Final = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
GB: Final = 2**30
ATTEMPTS: Final = 10
SHOWN: Final = 20
"""People who are named, of those who may have been deleted."""


def command(typed: Typed, settings: StackSettings, account: Account) -> None:
    place, clients = Place.of_stage(settings, account), Clients.of(account)
    restore_stage(place, clients, typed.option("--at"), sure=typed.sure)


@dataclass(frozen=True)
class Place:
    """A stage, and the table and the bucket that it uses."""

    stage: str
    stack: str
    table: str
    bucket: str

    @classmethod
    def of_stage(cls, settings: StackSettings, account: Account) -> "Place":
        stage = Deployment.of_stage(settings, account)
        stack = stack_name(settings.stage)
        return cls(settings.stage, stack, stage.table_name, stage.bucket_name)

    def restored(self, at: datetime) -> str:
        """The name of the table with what was there at that time."""
        return f"{self.stack}-{at:%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True)
class Clients:
    dynamodb: Any
    s3: Any

    @classmethod
    def of(cls, account: Account) -> "Clients":
        # It reads all of a table, and some reads may be throttled.
        return cls(
            account.client("dynamodb", attempts=ATTEMPTS), account.client("s3", attempts=ATTEMPTS)
        )


def restore_stage(
    place: Place, clients: Clients, at_text: str | None, *, sure: bool, wait: Wait = time.sleep
) -> None:
    """Restore what was there at a time. Asks for a yes unless `sure`. Raises `CommandError`."""
    at = moment(at_text)
    target = place.restored(at)
    if place.table == target:
        say(f"The stage {place.stage} uses {target} already. Only its files are looked at.")
        _files(clients, place, survey(clients.dynamodb, target), at, sure=sure)
        return
    begun = described(clients.dynamodb, target) is not None
    if not begun:
        window(clients.dynamodb, place.table).check(at)
    stored, rows = size_of(clients.dynamodb, place.table)
    say(
        f"The stage {place.stage} as of {said(at)}:\n"
        f"  1. {'Goes on with' if begun else 'Restores'} the table {target}, from {place.table} "
        f"({stored / GB:.1f} GB). That takes AWS minutes to hours.\n"
        "  2. Gives it a stream, TTL, point-in-time recovery, tags and protection like the first.\n"
        f"  3. Reads the keys of the rows of both, some {rows:,} each ({stored / 4096:,.0f} read\n"
        "     units), and takes over who has signed out everywhere since.\n"
        f"  4. Copies the files that they name, and that are gone, back into {place.bucket}.\n"
        f"AWS bills a restore by the size, the new table by the month, and what is read: {PRICES}\n"
        "The stage goes on meanwhile, with its own table. What was said after that time is not in\n"
        "the new one, and what was deleted since, people's data too, is in it again."
    )
    confirm("Restore?", sure=sure)
    took = restore(clients.dynamodb, place.table, target, at, wait=wait)
    say(f"  {target} is there, after {took.total_seconds() / 60:.0f} min")
    label = make_alike(clients.dynamodb, place.table, target, keep=True, wait=wait)
    forget_sweep(clients.dynamodb, target)
    say("  It has a stream, TTL, point-in-time recovery, tags and protection like the first")
    now, found = survey(clients.dynamodb, place.table), survey(clients.dynamodb, target)
    table_version.check(clients.dynamodb, target)
    keep_signed_out(clients.dynamodb, place.table, target, now.signed_out)
    _tell(found, now)
    _files(clients, place, found, at, sure=True)
    _tell_switch(place, f"{target}/stream/{label}")


def _tell(found: Survey, now: Survey) -> None:
    tell_counts(found, now)
    gone = sorted(found.people - now.people)
    if gone:
        some = ", ".join(gone[:SHOWN]) + (" …" if len(gone) > SHOWN else "")
        say(f"  {len(gone):,} people in it have no conversation now: {some}")
        say("  Whoever of them has asked to be deleted has to be deleted again after the switch.")


def tell_counts(then: Survey, now: Survey) -> None:
    """The rows of each kind. Raises `CommandError` when nothing was restored."""
    say("  rows                restored          now")
    for kind in sorted({*then.kinds, *now.kinds}):
        say(f"  {kind:12} {then.kinds[kind]:>15,} {now.kinds[kind]:>12,}")
    if now.rows and not then.rows:
        raise CommandError("The restored table is empty, and the stage's own is not.")


def _files(clients: Clients, place: Place, found: Survey, at: datetime, *, sure: bool) -> None:
    wanted = plan(clients.s3, place.bucket, found.objects, at)
    tell_plan(found, wanted)
    if not wanted.copies:
        return
    confirm(f"Bring {len(wanted.copies):,} files back?", sure=sure)
    bring_back(clients.s3, place.bucket, wanted.copies)


def tell_plan(found: Survey, wanted: Plan) -> None:
    there = len(found.objects) - len(wanted.copies) - len(wanted.missing)
    say(
        f"  Of {len(found.objects):,} files that it names, {there:,} are there, "
        f"{len(wanted.copies):,} can be brought back, and {len(wanted.missing):,} are gone"
    )
    if wanted.missing:
        say(
            "  What is gone was removed before the bucket kept versions, or longer ago than it does"
        )
        say("  (the setting fileVersions). A message shows such a file as missing.")


def _tell_switch(place: Place, restored: str) -> None:
    say(
        "\nNothing is switched yet. This makes the stage use the new table:\n\n"
        f'  make deploy STAGE={place.stage} ARGS="-c restoredTable={restored}"\n\n'
        "Put it into cdk.json, too, or the next deploy goes back to the first table:\n\n"
        f'  "stages": {{"{place.stage}": {{"restoredTable": "{restored}"}}}}\n\n'
        "Afterwards run this command again: it brings back what was removed in between. "
        "docs/restore.md has the rest."
    )
