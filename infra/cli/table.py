"""`make table`: what is in the table of a stage, or of the `make dev` that runs. It only reads.

Words of people and models are shown of `make dev`. Of a stage they are shown with `TEXT=1` alone:
looking into a stage needs them seldom, and its output is copied into tickets. So there is no
question that one learns to answer without reading.
"""

import asyncio
import base64
import binascii
import re
import shlex
import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from functions import aws
from functions.aws.keys import named, part
from functions.characters import one_line
from functions.store import keys
from functions.store.bodies import Bodies
from functions.store.schema import INDEX
from functions.store.table import Row
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.rows import Shown, shown, without_words
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

WIDTH = 100
"""Characters of a line."""
KEY_WIDTH = 46
INDENT = " " * 6

ROWS = 40
"""Rows, or people, of a page."""
MAX_ROWS = 500

NEWEST = 3
"""Threads that are shown of each person."""

READS = 16
"""Reads for one page of people, of a megabyte each. An eventually consistent read of one takes 128
read units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/provisioned-capacity-mode.html
"""
UNITS_A_READ = 128

_DIGEST = re.compile(r"![0-9a-f]{64}")


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see."""

    user: str | None = None
    thread: str | None = None
    rows: int = ROWS
    after: str | None = None
    """Where the last page ended."""
    words: bool = False
    """Whether to show a stage's words, too."""


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    wanted = asked(
        typed.option("--user"),
        typed.option("--thread"),
        typed.option("--page"),
        typed.option("--after"),
        words=typed.has("--text"),
    )
    show(Deployment.of(settings, account, "make table STAGE=prod …"), wanted)


def asked(
    user: str | None, thread: str | None, page: str | None, after: str | None, *, words: bool
) -> Asked:
    """What was typed. Raises `CommandError` when it cannot be meant."""
    rows = int(page) if page and page.isdecimal() else ROWS
    if page and (not page.isdecimal() or not 1 <= rows <= MAX_ROWS):
        raise CommandError(f"PAGE={page} is no number of rows from 1 to {MAX_ROWS}.")
    return Asked(user or None, thread or None, rows, after or None, words=words)


def show(deployment: Deployment, wanted: Asked) -> None:
    """Print one page: people, or a person's rows, or a thread's. Raises `CommandError`."""
    asyncio.run(_show(deployment, wanted))


async def _show(deployment: Deployment, wanted: Asked) -> None:
    if wanted.user is not None:
        user = _part_of(wanted.user)
    elif wanted.thread is not None:
        user = await _owner(deployment, wanted)
        wanted = replace(wanted, user=_name(user), after=None)
    else:
        await _people(deployment, wanted)
        return
    if wanted.thread is None:
        await _partition(deployment, wanted, keys.user_partition(user), f"the person {_name(user)}")
        return
    what = f"the thread {wanted.thread} of {_name(user)}"
    await _partition(deployment, wanted, keys.thread_partition(user, wanted.thread), what)


async def _partition(deployment: Deployment, wanted: Asked, partition: str, what: str) -> None:
    """Print rows of one partition: threads newest first, items in their order, then the rest."""
    words = wanted.words or deployment.stage is None
    bodies = Bodies(deployment.bucket)
    printed, last, more = 0, "", False
    async for row in _rows(deployment, partition, wanted.after):
        if printed == wanted.rows:
            more = True
            break
        if not printed:
            say(f"{deployment.name}: {what}")
        each = await shown(row, bodies)
        _print(each if words else without_words(each))
        printed, last = printed + 1, row["sk"]["S"]
    if not printed:
        raise CommandError(f"{deployment.name}: there are no rows of {what}.")
    if "#T#" not in partition and not more and (counters := await _counters(deployment, partition)):
        _print(await shown(counters, bodies))
    _go_on(deployment, wanted, last if more else None)


async def _counters(deployment: Deployment, partition: str) -> Row | None:
    return await deployment.table.get(keys.counters_key(partition.removeprefix(keys.USER)))


async def _rows(deployment: Deployment, partition: str, after: str | None) -> AsyncIterator[Row]:
    """The rows that have a position by that, then the others by their keys; of a person's threads
    the newest comes first. `after` is the sort key of the row that the last page ended with.
    """
    of_thread = "#T#" in partition
    start = await deployment.table.get(keys.key(partition, after)) if after else None
    if after and start is None:
        raise CommandError(f"There is no row {after} any more. Begin again without AFTER.")
    query: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
    }
    by_position = {**query, "IndexName": INDEX, "ScanIndexForward": of_thread}
    if start and "position" in start:
        sign = ">" if of_thread else "<"
        by_position = {
            **by_position,
            "KeyConditionExpression": f"pk = :pk AND #position {sign} :after",
            "ExpressionAttributeNames": {"#position": "position"},
            "ExpressionAttributeValues": {":pk": {"S": partition}, ":after": start["position"]},
        }
    if start is None or "position" in start:
        async for row in deployment.table.query(**by_position):
            yield row
    others = {
        **query,
        "FilterExpression": "attribute_not_exists(#position)",
        "ExpressionAttributeNames": {"#position": "position"},
    }
    if start and "position" not in start:
        others["KeyConditionExpression"] = "pk = :pk AND sk > :after"
        others["ExpressionAttributeValues"] = {":pk": {"S": partition}, ":after": start["sk"]}
    async for row in deployment.table.query(**others):
        yield row


@dataclass
class _Found:
    """What a bounded scan has found, and where to go on; `None` when it has read everything."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    """The rows of threads by their owner's partition."""
    after: keys.Key | None = None


async def _scan(
    deployment: Deployment, start: keys.Key | None, people: int, condition: str, value: str
) -> _Found:
    """Read the table until so many people are found, and `READS` times at most."""
    found = _Found(after=start)
    for _ in range(READS):
        page = await aws.call(
            deployment.table.client.scan,
            TableName=deployment.table.name,
            FilterExpression=condition,
            ExpressionAttributeValues={":value": {"S": value}},
            **({"ExclusiveStartKey": found.after} if found.after else {}),
        )
        for row in page["Items"]:
            owner = row["pk"]["S"]
            if owner not in found.rows and len(found.rows) == people:
                return found
            found.rows.setdefault(owner, []).append(row)
            found.after = keys.key(owner, row["sk"]["S"])
        found.after = page.get("LastEvaluatedKey")
        if found.after is None:
            return found
    return found


async def _say_cost(deployment: Deployment) -> None:
    """Say what a page may cost, before it is read."""
    if deployment.stage is None:
        return
    described = await aws.call(
        deployment.table.client.describe_table, TableName=deployment.table.name
    )
    table = described["Table"]
    say(
        f"{deployment.name}: some {table['ItemCount']:,} rows, "
        f"{table['TableSizeBytes'] / 1e6:,.1f} MB (AWS counts them every six hours)."
    )
    say(f"This reads {READS} MB of them at most: {READS * UNITS_A_READ:,} read units.")


async def _people(deployment: Deployment, wanted: Asked) -> None:
    await _say_cost(deployment)
    start = _read_cursor(wanted.after)
    found = await _scan(deployment, start, wanted.rows, "begins_with(sk, :value)", keys.THREAD)
    words = wanted.words or deployment.stage is None
    say(f"{deployment.name}: people with conversations, and their newest")
    for partition, rows in found.rows.items():
        user = partition.removeprefix(keys.USER)
        threads = f"{len(rows)} conversation{'s' if len(rows) > 1 else ''}"
        say(f"{_name(user):<{WIDTH - 22}}  {threads:>20}")
        newest = sorted(rows, key=lambda row: row["position"]["S"], reverse=True)[:NEWEST]
        for row in newest:
            each = await shown(row, Bodies(None))
            title = one_line(each.words) if words else ""
            say(_cut(f"    {row['id']['S']:<36}  {each.at:<19}  {title}"))
    if not found.rows:
        say("  none here" if found.after else "  nobody yet")
    _go_on(deployment, wanted, _cursor(found.after) if found.after else None)


async def _owner(deployment: Deployment, wanted: Asked) -> str:
    """The key part of a thread's owner, by a scan. Raises `CommandError` when it is not found."""
    await _say_cost(deployment)
    sort = keys.THREAD + part(wanted.thread or "")
    start = _read_cursor(wanted.after)
    found = await _scan(deployment, start, 1, "sk = :value", sort)
    for partition in found.rows:
        return partition.removeprefix(keys.USER)
    if found.after is None:
        raise CommandError(f"{deployment.name}: there is no thread {wanted.thread}.")
    _go_on(deployment, wanted, _cursor(found.after))
    raise CommandError(f"The thread {wanted.thread} is not in what was read. Go on, or name USER=.")


def _print(each: Shown) -> None:
    key = each.key if len(each.key) <= KEY_WIDTH else f"{each.key[: KEY_WIDTH - 1]}…"
    size = f"{each.size:,} B" if each.size else ""
    say(f"  {key:<{KEY_WIDTH}}  {each.kind:<19} {each.at:<19}  {size:>9}".rstrip())
    for line in textwrap.wrap(one_line(each.notes), WIDTH - len(INDENT)):
        say(f"{INDENT}{line}")
    if words := one_line(each.words):
        say(_cut(f"{INDENT}{words}"))


def _go_on(deployment: Deployment, wanted: Asked, after: str | None) -> None:
    """Say how to see more: words that were left out, and the next page."""
    if deployment.stage is not None and not wanted.words:
        say("What people and models wrote is left out: TEXT=1 shows it.")
    if after is None:
        return
    given = {
        "STAGE": deployment.stage,
        "USER": wanted.user,
        "THREAD": wanted.thread,
        "PAGE": str(wanted.rows) if wanted.rows != ROWS else None,
        "TEXT": "1" if wanted.words else None,
        "AFTER": after,
    }
    words = [shlex.quote(f"{name}={value}") for name, value in given.items() if value]
    say(f"More: {' '.join(['make table', *words])}")


def _part_of(user: str) -> str:
    """The key part of a user's id, or of what `_name` shows of one."""
    return user if _DIGEST.fullmatch(user) else named(user)


def _name(user: str) -> str:
    """A user's id by its key part; the part itself where only a digest is stored."""
    return user if user.startswith("!") else one_line(unquote(user))


def _cursor(key: keys.Key) -> str:
    return base64.urlsafe_b64encode(f"{key['pk']['S']}\n{key['sk']['S']}".encode()).decode()


def _read_cursor(text: str | None) -> keys.Key | None:
    """The key in a cursor. Raises `CommandError`."""
    if text is None:
        return None
    try:
        partition, _, sort = base64.urlsafe_b64decode(text.encode()).decode().partition("\n")
    except (binascii.Error, ValueError):
        partition = sort = ""
    if not sort:
        raise CommandError(f"AFTER={text} is not what a page has ended with. Begin without it.")
    return keys.key(partition, sort)


def _cut(line: str) -> str:
    return line.rstrip() if len(line) <= WIDTH else f"{line[: WIDTH - 1].rstrip()}…"
