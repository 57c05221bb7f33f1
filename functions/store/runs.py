"""Runs: one streaming request each, claimed once, cancelled by its owner, marked on its thread."""

import time
from dataclasses import dataclass
from typing import Any, Final

from .. import aws
from ..aws.keys import owner
from . import keys
from .keys import Value
from .table import ConditionFailed, Row, Table
from .threads import DAY

RUN_SECONDS: Final = DAY
"""How long a run's row outlives its deadline: a request sent again later is a new one."""


class RunAlreadyStarted(Exception):  # noqa: N818 - what happened, as callers name it
    """The same run id was claimed before: the request was sent again. `run` is the first one."""

    def __init__(self, run: "Run") -> None:
        super().__init__(f"run {run.id} has begun already")
        self.run = run


class RunCancelled(Exception):  # noqa: N818
    """The run was cancelled before it began."""


@dataclass(frozen=True)
class Run:
    """A run to begin: its id, its thread, and when it is over at the latest (Unix seconds)."""

    id: str
    thread_id: str
    deadline: float


@dataclass(frozen=True)
class Running:
    """The run that a thread is being answered by, and until when at the latest (Unix seconds)."""

    run_id: str
    until: float


def running_in(row: Row | None) -> Running | None:
    """The running run that a thread's row names, unless its deadline has passed."""
    if row is None or "run" not in row:
        return None
    until = float(row["run_until"]["N"])
    return Running(row["run"]["S"], until) if until > time.time() else None


def marker(run: Run) -> dict[str, Value]:
    """What a thread's row says of its running run."""
    return {"run": {"S": run.id}, "run_until": {"N": str(run.deadline)}}


def claim_action(run: Run, user: str) -> dict[str, Any]:
    """The conditional write that claims a run; part of a transaction."""
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
    """Why a claim was refused, from the row that it met."""
    if row and "state" not in row:
        return RunCancelled(f"run {run.id} was cancelled before it began")
    if row:
        run = Run(run.id, row["thread"]["S"], float(row["deadline"]["N"]))
    return RunAlreadyStarted(run)


class Runs:
    """Cancel and finish runs, and see which are running. A context needs `user_id`; everything is under that user's
    key, so nobody cancels or sees another's run.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    async def cancel(self, run_id: str, context: Any) -> None:
        """Ask a run to stop, whether or not it has begun. One write; repeating it is harmless."""
        await self.table.update(
            keys.run_key(owner(context), run_id),
            "SET cancelled = :yes, expires = if_not_exists(expires, :expires)",
            ExpressionAttributeValues={
                ":yes": {"BOOL": True},
                ":expires": {"N": str(int(time.time()) + RUN_SECONDS)},
            },
        )

    async def is_cancelled(self, run_id: str, context: Any) -> bool:
        """Whether the run's owner asked it to stop. One read unit."""
        row = await self.table.get(
            keys.run_key(owner(context), run_id), ProjectionExpression="cancelled"
        )
        return bool(row and row.get("cancelled", {}).get("BOOL"))

    async def has_begun(self, run_id: str, context: Any) -> bool:
        """Whether the run was claimed before, however it went since. One read unit."""
        row = await self.table.get(keys.run_key(owner(context), run_id))
        return bool(row and "state" in row)

    async def finish(self, run_id: str, thread_id: str, context: Any, state: str) -> None:
        """Note how a run ended, and take its mark off the thread if it is still there.

        Two writes, side by side.
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
        """The run that is answering a thread now; `None` when it is idle or unknown."""
        row = await self.table.get(
            keys.thread_key(owner(context), thread_id), ProjectionExpression="run, run_until"
        )
        return running_in(row)
