"""Records the run of a widget action that no model answers, in the log and in the table."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from chatkit.types import ThreadsCustomActionReq, ThreadsSyncCustomActionReq

from ..aws.keys import digest, owner
from ..context import RequestContext
from ..errors import PublicError
from ..run_log import log_run
from ..run_record import RunRecord
from ..store import Runs
from ..store.keys import stamp

logger = logging.getLogger(__name__)


@dataclass
class ActionRun:
    """The run of an action, and how it ended as far as its caller has caught the error."""

    id: str
    error: Exception | None = None


@asynccontextmanager
async def recorded(
    request: ThreadsCustomActionReq | ThreadsSyncCustomActionReq,
    context: RequestContext,
    runs: Runs,
    *,
    cold_start: bool,
) -> AsyncIterator[ActionRun]:
    """Record the action that runs in this block. A `PublicError` that leaves it is no run: the
    action was refused with a 4xx.

    Two writes at the end, in one round trip. When they fail, the action has run all the same.
    """
    started = time.monotonic()
    run = ActionRun(context.run_id or uuid4().hex)
    try:
        yield run
    except PublicError:
        raise
    except Exception as error:
        run.error = error
        await _keep(run, request, context, runs, started, cold_start)
        raise
    await _keep(run, request, context, runs, started, cold_start)


async def _keep(  # noqa: PLR0917
    run: ActionRun,
    request: ThreadsCustomActionReq | ThreadsSyncCustomActionReq,
    context: RequestContext,
    runs: Runs,
    started: float,
    cold_start: bool,
) -> None:
    error = run.error
    record = RunRecord(
        run_id=run.id,
        at=stamp(datetime.now(UTC)),
        request=request.type,
        owner=digest(owner(context)),
        thread_id=request.params.thread_id,
        action=request.params.action.type,
        outcome="completed" if error is None else "failed",
        error=None if error is None else type(error).__name__,
        cold_start=cold_start,
        duration_ms=round((time.monotonic() - started) * 1000),
    )
    log_run(record, faulty=error is not None and not isinstance(error, PublicError))
    try:
        await runs.keep_record(record, context)
    except Exception:
        logger.exception("the record of an action was not kept")
