"""`make seed`: made-up people and their conversations in the `make dev` that is running or a stage.

The store writes them, so that the table's stream counts them like others. Their ids are the same
in each run. The last row of a conversation is the record of its last run, and a conversation that
has it is left as it is: so a second run changes nothing, and one after a crash goes on.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from functions import aws
from functions.attachments.schema import upload_key
from functions.aws.keys import named, part
from functions.context import RequestContext
from functions.settings import Settings
from functions.store import DynamoDBStore, Runs, keys
from infra.cli.account import Account
from infra.cli.demo_people import Conversation, conversations, names
from infra.cli.deployment import Deployment
from infra.cli.progress import Progress
from infra.cli.terminal import confirm, say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

PEOPLE, MAX_PEOPLE = 20, 999
DAYS, MAX_DAYS = 30, 90
"""The records of runs are kept for 90 days."""
SEED = 1


@dataclass(frozen=True)
class Asked:
    people: int = PEOPLE
    days: int = DAYS
    seed: int = SEED


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    wanted = asked(typed.option("--people"), typed.option("--days"), typed.option("--seed"))
    deployment = Deployment.of(settings, account, "make seed STAGE=prod …")
    if typed.has("--clean"):
        clean(deployment, sure=typed.sure)
        return
    kept = (settings or Settings()).retention_days
    fill(deployment, wanted, sure=typed.sure, retention_days=kept)


def asked(people: str | None, days: str | None, seed: str | None) -> Asked:
    """What was typed. Raises `CommandError` when it cannot be meant."""
    return Asked(
        _number("PEOPLE", people, PEOPLE, MAX_PEOPLE),
        _number("DAYS", days, DAYS, MAX_DAYS),
        _number("SEED", seed, SEED, sys.maxsize),
    )


def fill(
    deployment: Deployment, wanted: Asked, *, sure: bool, retention_days: int | None = None
) -> None:
    """Write the conversations that are not there yet. Raises `CommandError`.

    `retention_days` is how long the deployment keeps conversations; `None`: for ever.
    """
    today = datetime.now(UTC).date()
    planned = list(conversations(wanted.people, wanted.days, wanted.seed, today))
    turns = sum(len(each.turns) for each in planned)
    last = names(wanted.people)[-1]
    say(
        f"{deployment.name}: {len(planned)} conversations with {turns} answers of made-up people, "
        f"demo-001 to {last}, of the {wanted.days} days until yesterday."
    )
    if deployment.stage is not None:
        say("The report counts them like others, and keeps them when make seed CLEAN=1 removes")
        say("the people. They make no call of a model.")
        confirm("Write them?", sure=sure)
    written = asyncio.run(_fill(deployment, planned, retention_days))
    say(f"{written} conversations written, {len(planned) - written} were there.")
    say("make table shows them; make seed CLEAN=1 removes them.")


async def _fill(
    deployment: Deployment, planned: list[Conversation], retention_days: int | None
) -> int:
    store = DynamoDBStore(deployment.table, bucket=deployment.bucket, retention_days=retention_days)
    runs = Runs(deployment.table)
    progress = Progress("Writing conversations", len(planned))
    written = 0
    for done, each in enumerate(planned):
        progress.show(done)
        if not await _is_there(deployment, each):
            await _write(store, runs, deployment, each)
            written += 1
    progress.show(len(planned))
    progress.end()
    return written


async def _is_there(deployment: Deployment, conversation: Conversation) -> bool:
    last = conversation.turns[-1].record
    key = keys.ended_run_key(named(conversation.user), last.thread_id, last.run_id)
    return await deployment.table.get(key) is not None


async def _write(
    store: DynamoDBStore, runs: Runs, deployment: Deployment, conversation: Conversation
) -> None:
    context = RequestContext(user_id=conversation.user)
    thread = conversation.thread
    await store.save_thread(thread, context)
    for turn in conversation.turns:
        if turn.file is not None:
            attachment = turn.file.attachment
            key = upload_key(named(conversation.user), part(attachment.id))
            await deployment.bucket.put(key, turn.file.data, attachment.mime_type)
            await store.save_attachment(attachment, context)
        for item in turn.items:
            await store.add_thread_item(thread.id, item, context)
        if turn.feedback is not None and turn.answer_id is not None:
            await store.save_feedback(
                thread.id, [turn.answer_id], turn.feedback, context, at=turn.ended
            )
        await runs.keep_record(turn.record, context)


def clean(deployment: Deployment, *, sure: bool) -> None:
    """Remove the made-up people, however many there are. Raises `CommandError`."""
    there = asyncio.run(_there(deployment))
    if not there:
        say(f"{deployment.name}: there are no made-up people.")
        return
    say(f"{deployment.name}: {len(there)} made-up people and all that is theirs will be removed.")
    if deployment.stage is not None:
        confirm("Remove them?", sure=sure)
    asyncio.run(_clean(deployment, there))
    say("Removed. What the report has counted stays: it names nobody.")


async def _there(deployment: Deployment) -> list[str]:
    """The made-up people who have a row."""
    everybody = names(MAX_PEOPLE)
    there = await aws.together(*(_has_rows(deployment, user) for user in everybody))
    return [user for user, has in zip(everybody, there, strict=True) if has]


async def _has_rows(deployment: Deployment, user: str) -> bool:
    rows = deployment.table.query(
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.user_partition(named(user))}},
        Limit=1,
    )
    return await anext(rows, None) is not None


async def _clean(deployment: Deployment, people: list[str]) -> None:
    progress = Progress("Removing people", len(people))
    for done, user in enumerate(people):
        progress.show(done)
        await deployment.store.delete_user(user)
    progress.show(len(people))
    progress.end()


def _number(name: str, typed: str | None, default: int, most: int) -> int:
    if not typed:
        return default
    if not typed.isascii() or not typed.isdecimal() or not 1 <= int(typed) <= most:
        raise CommandError(f"{name}={typed} is no number from 1 to {most}.")
    return int(typed)
