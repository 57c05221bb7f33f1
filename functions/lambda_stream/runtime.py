"""The main loop: start the app, serve one invocation after another, shut down."""

import asyncio
import json
import logging
import os
import signal
from typing import Any

from .cycle import ASGIApp, Cycle
from .lifespan import Lifespan, LifespanError
from .logs import RequestIds
from .response import Response
from .runtime_api import Invocation, RuntimeApi
from .scope import BadEventError, read_event

logger = logging.getLogger(__name__)
_ACCEPTED = 202


async def serve(app: ASGIApp, api: RuntimeApi, ids: RequestIds) -> None:
    """Serve until SIGTERM.

    Raises `LifespanError` when the app cannot start, which is reported to Lambda before, and
    `OSError` or `RuntimeApiError` when the Runtime API fails. Lambda then starts a new process.
    """
    lifespan = Lifespan(app)
    try:
        await lifespan.startup()
    except LifespanError as exc:
        await api.init_error(exc)
        raise
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    stopped: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    try:
        while (invocation := await _next(api, stopped)) is not None:
            ids.current = invocation.context.request_id
            await _serve_one(app, api, invocation, lifespan)
    finally:
        stopped.cancel()
        api.close()
    await lifespan.shutdown()


async def _next(api: RuntimeApi, stopped: "asyncio.Future[Any]") -> Invocation | None:
    """The next invocation, or None on SIGTERM. SIGTERM never interrupts an answer."""
    if stopped.done():
        return None
    polling = asyncio.ensure_future(api.next())
    waiting: set[asyncio.Future[Any]] = {polling, stopped}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if polling.done():
        return polling.result()
    polling.cancel()
    return None


async def _serve_one(
    app: ASGIApp, api: RuntimeApi, invocation: Invocation, lifespan: Lifespan
) -> None:
    context = invocation.context
    _set_trace(context.trace_id)
    try:
        scope, body = read_event(json.loads(invocation.payload), context, lifespan.state)
    except (ValueError, RecursionError) as exc:
        bad = exc if isinstance(exc, BadEventError) else BadEventError(f"not JSON: {exc}")
        logger.error("%s", bad)  # noqa: TRY400 - the event is wrong, so a traceback would not help
        await api.invocation_error(invocation, bad)
        invocation.connection.close()
        return
    response = Response(invocation.connection, context)
    try:
        # In a separate task, so that changes of the context and cancellations by the app do not
        # affect the next invocation.
        await asyncio.create_task(Cycle(scope, body, response).run(app))
        await _handed_in(response)
    finally:
        response.cut()


async def _handed_in(response: Response) -> None:
    """Wait for Lambda to accept the answer. The Runtime API rejects `/next` before that."""
    if response.broken:
        return
    try:
        status, words = await response.acknowledged()
    except OSError as exc:
        logger.warning("Lambda did not acknowledge the answer: %s", exc)
        return
    if status != _ACCEPTED:
        logger.warning("Lambda rejected the answer: %d %s", status, words[:500])


def _set_trace(trace_id: str | None) -> None:
    """Set the trace id where the X-Ray and OpenTelemetry libraries read it."""
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
