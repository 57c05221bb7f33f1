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
from functions.store import DynamoDBStore, Runs, keys
from infra.cli.demo_people import Conversation, conversations, names
from infra.cli.people import PeopleError, Place
from infra.cli.progress import Progress

PEOPLE, MAX_PEOPLE = 20, 999
DAYS, MAX_DAYS = 30, 90
"""The records of runs are kept for 90 days."""
SEED = 1


@dataclass(frozen=True)
class Asked:
    people: int = PEOPLE
    days: int = DAYS
    seed: int = SEED


def asked(people: str | None, days: str | None, seed: str | None) -> Asked:
    """What was typed. Raises `PeopleError` when it cannot be meant."""
    return Asked(
        _number("PEOPLE", people, PEOPLE, MAX_PEOPLE),
        _number("DAYS", days, DAYS, MAX_DAYS),
        _number("SEED", seed, SEED, sys.maxsize),
    )


def fill(place: Place, wanted: Asked, *, sure: bool, retention_days: int | None = None) -> None:
    """Write the conversations that are not there yet. Raises `PeopleError`.

    `retention_days` is how long the deployment keeps conversations; `None`: for ever.
    """
    today = datetime.now(UTC).date()
    planned = list(conversations(wanted.people, wanted.days, wanted.seed, today))
    turns = sum(len(each.turns) for each in planned)
    last = names(wanted.people)[-1]
    _say(
        f"{place.name}: {len(planned)} conversations with {turns} answers of made-up people, "
        f"demo-001 to {last}, of the {wanted.days} days until yesterday."
    )
    if place.stage is not None:
        _say("The report counts them like others, and keeps them when make seed CLEAN=1 removes")
        _say("the people. They make no call of a model.")
        _ask("Write them?", sure=sure)
    written = asyncio.run(_fill(place, planned, retention_days))
    _say(f"{written} conversations written, {len(planned) - written} were there.")
    _say("make table shows them; make seed CLEAN=1 removes them.")


async def _fill(place: Place, planned: list[Conversation], retention_days: int | None) -> int:
    store = DynamoDBStore(place.table, bucket=place.bucket, retention_days=retention_days)
    runs = Runs(place.table)
    progress = Progress("Writing conversations", len(planned))
    written = 0
    for done, each in enumerate(planned):
        progress.show(done)
        if not await _is_there(place, each):
            await _write(store, runs, place, each)
            written += 1
    progress.show(len(planned))
    progress.end()
    return written


async def _is_there(place: Place, conversation: Conversation) -> bool:
    last = conversation.turns[-1].record
    key = keys.ended_run_key(named(conversation.user), last.thread_id, last.run_id)
    return await place.table.get(key) is not None


async def _write(
    store: DynamoDBStore, runs: Runs, place: Place, conversation: Conversation
) -> None:
    context = RequestContext(user_id=conversation.user)
    thread = conversation.thread
    await store.save_thread(thread, context)
    for turn in conversation.turns:
        if turn.file is not None:
            attachment = turn.file.attachment
            key = upload_key(named(conversation.user), part(attachment.id))
            await place.bucket.put(key, turn.file.data, attachment.mime_type)
            await store.save_attachment(attachment, context)
        for item in turn.items:
            await store.add_thread_item(thread.id, item, context)
        if turn.feedback is not None and turn.answer_id is not None:
            await store.save_feedback(
                thread.id, [turn.answer_id], turn.feedback, context, at=turn.ended
            )
        await runs.keep_record(turn.record, context)


def clean(place: Place, *, sure: bool) -> None:
    """Remove the made-up people, however many there are. Raises `PeopleError`."""
    there = asyncio.run(_there(place))
    if not there:
        _say(f"{place.name}: there are no made-up people.")
        return
    _say(f"{place.name}: {len(there)} made-up people and all that is theirs will be removed.")
    if place.stage is not None:
        _ask("Remove them?", sure=sure)
    asyncio.run(_clean(place, there))
    _say("Removed. What the report has counted stays: it names nobody.")


async def _there(place: Place) -> list[str]:
    """The made-up people who have a row."""
    everybody = names(MAX_PEOPLE)
    there = await aws.together(*(_has_rows(place, user) for user in everybody))
    return [user for user, has in zip(everybody, there, strict=True) if has]


async def _has_rows(place: Place, user: str) -> bool:
    rows = place.table.query(
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.user_partition(named(user))}},
        Limit=1,
    )
    return await anext(rows, None) is not None


async def _clean(place: Place, people: list[str]) -> None:
    progress = Progress("Removing people", len(people))
    for done, user in enumerate(people):
        progress.show(done)
        await place.store.delete_user(user)
    progress.show(len(people))
    progress.end()


def _number(name: str, typed: str | None, default: int, most: int) -> int:
    if not typed:
        return default
    if not typed.isascii() or not typed.isdecimal() or not 1 <= int(typed) <= most:
        raise PeopleError(f"{name}={typed} is no number from 1 to {most}.")
    return int(typed)


def _ask(question: str, *, sure: bool) -> None:
    """Raises `PeopleError` unless the person is sure or types yes."""
    if sure:
        return
    sys.stdout.write(f"{question} Type yes: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise PeopleError("Nothing is changed.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
