"""Runs: one for each streaming request. It is claimed once, and its owner can cancel it."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from .. import aws
from ..aws.keys import owner
from ..run_record import RunRecord
from . import keys
from .expiry import DAY
from .keys import Value
from .table import ConditionFailed, Row, Table

RUN_SECONDS: Final = DAY
"""Seconds that a run's row is kept after its deadline. The same request after that is a new run."""

RECORD_SECONDS: Final = 90 * DAY
"""Seconds that the record of a run is kept, unless its thread is deleted before."""


class RunAlreadyStarted(Exception):  # noqa: N818 - what happened, as callers name it
    """A run with this id was claimed before: the request was sent again. `run` is the first run."""

    def __init__(self, run: "Run") -> None:
        super().__init__(f"run {run.id} has already started")
        self.run = run


class RunCancelled(Exception):  # noqa: N818
    """The run was cancelled before it started."""


@dataclass(frozen=True)
class Run:
    """A run to start: its id, its thread and its deadline (Unix seconds)."""

    id: str
    thread_id: str
    deadline: float


@dataclass(frozen=True)
class Running:
    """The run that is answering a thread now. It ends at `until` (Unix seconds) at the latest."""

    run_id: str
    until: float


def running_in(row: Row | None) -> Running | None:
    """The run that a thread's row names; `None` when there is none or its deadline has passed."""
    if row is None or "run" not in row:
        return None
    until = float(row["run_until"]["N"])
    return Running(row["run"]["S"], until) if until > time.time() else None


def marker(run: Run) -> dict[str, Value]:
    """The attributes that name a run in its thread's row."""
    return {"run": {"S": run.id}, "run_until": {"N": str(run.deadline)}}


def claim_action(run: Run, user: str) -> dict[str, Any]:
    """The conditional write that claims a run, for a transaction."""
    return {
        "Update": {
            "Key": keys.run_key(user, run.id),
            "UpdateExpression": "SET #state = :running, #thread = :thread, deadline = :deadline, "
            "expires = :expires",
            "ConditionExpression": "attribute_not_exists(#state) AND "
            "attribute_not_exists(cancelled)",
            "ExpressionAttributeNames": {"#state": "state", "#thread": "thread"},
            "ExpressionAttributeValues": {
                ":running": {"S": "running"},
                ":thread": {"S": run.thread_id},
                ":deadline": {"N": str(run.deadline)},
                ":expires": {"N": str(int(run.deadline) + RUN_SECONDS)},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def claim_error(run: Run, row: Row | None) -> Exception:
    """The error for a claim whose condition failed. `row` is the run's row at that time."""
    if row and "state" not in row:
        return RunCancelled(f"run {run.id} was cancelled before it started")
    return RunAlreadyStarted(_run(run.id, row) if row else run)


def _run(run_id: str, row: Row) -> Run:
    """The run of a row. One that has ended without a claim has no thread."""
    return Run(run_id, row["thread"]["S"], float(row["deadline"]["N"]))


async def ask_to_stop(table: Table, run: keys.Key) -> None:
    """Ask the run with this key to stop. One write, safe to repeat."""
    await table.update(
        run,
        "SET cancelled = :yes, expires = if_not_exists(expires, :expires)",
        ExpressionAttributeValues={
            ":yes": {"BOOL": True},
            ":expires": {"N": str(int(time.time()) + RUN_SECONDS)},
        },
    )


class Runs:
    """Cancel and finish runs, and find the run of a thread. `DynamoDBStore.begin_run` claims one.

    A context needs `user_id`. Rows are stored under the user's key, so nobody can see or cancel
    another user's run.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    async def cancel(self, run_id: str, context: Any) -> None:
        """Ask a run to stop, even one that has not started yet. One write, safe to repeat."""
        await ask_to_stop(self.table, keys.run_key(owner(context), run_id))

    async def is_cancelled(self, run_id: str, context: Any) -> bool:
        """Whether the run's owner asked it to stop. One request, one read unit."""
        row = await self.table.get(
            keys.run_key(owner(context), run_id), ProjectionExpression="cancelled"
        )
        return bool(row and row.get("cancelled", {}).get("BOOL"))

    async def find(self, run_id: str | None, context: Any) -> Run | None:
        """The run if it was claimed, even if it has ended. One request, one read unit.

        No request without an id, which nobody can have used before.
        """
        if run_id is None:
            return None
        row = await self.table.get(keys.run_key(owner(context), run_id))
        return _run(run_id, row) if row and "state" in row else None

    async def claim_replay(self, run: Run, context: Any) -> bool:
        """Become the only replay of a run, until `end_replay` or the run's deadline. One write."""
        try:
            await self.table.update(
                keys.run_key(owner(context), run.id),
                "SET replay_until = :deadline",
                ConditionExpression="attribute_not_exists(replay_until) OR replay_until < :now",
                ExpressionAttributeValues={
                    ":deadline": {"N": str(run.deadline)},
                    ":now": {"N": str(time.time())},
                },
            )
        except ConditionFailed:
            return False
        return True

    async def end_replay(self, run: Run, context: Any) -> None:
        """Let the run be replayed again. One write."""
        with suppress(ConditionFailed):  # the run's row has expired since
            await self.table.update(
                keys.run_key(owner(context), run.id),
                "REMOVE replay_until",
                ConditionExpression="attribute_exists(pk)",
            )

    async def finish(self, run_id: str, thread_id: str, context: Any, state: str) -> None:
        """Store how a run ended, and remove it from its thread's row if that still names it.

        Two writes in parallel. An unknown thread is fine.
        """
        user = owner(context)
        ended = self.table.update(
            keys.run_key(user, run_id),
            "SET #state = :state, expires = if_not_exists(expires, :expires)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                ":state": {"S": state},
                ":expires": {"N": str(int(time.time()) + RUN_SECONDS)},
            },
        )
        await aws.together(ended, self._unmark(run_id, keys.thread_key(user, thread_id)))

    async def keep_record(self, record: RunRecord, context: Any) -> None:
        """Keep the record of a run that has ended, for as long as its thread and 90 days at most.

        One write. Nothing is kept of a thread that is not there: nobody would delete it.
        """
        user = owner(context)
        row = {
            **keys.ended_run_key(user, record.thread_id, record.run_id),
            "body": {"S": record.model_dump_json()},
            "expires": {"N": str(int(time.time()) + RECORD_SECONDS)},
        }
        exists = {
            "Key": keys.thread_key(user, record.thread_id),
            "ConditionExpression": "attribute_exists(pk)",
        }
        with suppress(ConditionFailed):
            await self.table.transact([{"ConditionCheck": exists}, {"Put": {"Item": row}}])

    async def _unmark(self, run_id: str, thread: keys.Key) -> None:
        try:
            await self.table.update(
                thread,
                "REMOVE run, run_until",
                ConditionExpression="run = :run",
                ExpressionAttributeValues={":run": {"S": run_id}},
            )
        except ConditionFailed:
            return

    async def running(self, thread_id: str, context: Any) -> Running | None:
        """The run that is answering a thread now; `None` when the thread is idle or unknown.

        One request, one read unit.
        """
        row = await self.table.get(
            keys.thread_key(owner(context), thread_id), ProjectionExpression="run, run_until"
        )
        return running_in(row)
