"""How a message is answered, from top to bottom: check, claim, respond, stream.

The app has parsed the request. What is wrong with it is found out here, before the stream
starts: an error inside a stream comes after the status 200. Nothing is written to the table
before the response's headers are out, because the element sends a request again when its answer
is a 5xx.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

from agents import Model
from chatkit.server import StreamingResult
from chatkit.types import StreamingReq, ThreadsAddUserMessageReq, ThreadsCreateReq

from .. import aws
from ..aws.secret_values import SecretUnavailableError
from ..context import RequestContext
from ..errors import PublicError
from ..llm import build
from ..services import Services
from ..store import Run, RunAlreadyStarted, RunCancelled
from .answer import Answer, Stop
from .checks import check
from .replay import replay
from .server import AssistantServer
from .turn_store import TurnStore


async def answer_message(
    request: StreamingReq,
    body: bytes,
    context: RequestContext,
    services: Services,
    deadline: float,
) -> AsyncIterator[bytes]:
    """The answer to `request`, as server-sent events. `deadline` is in seconds since the epoch.

    Raises `PublicError` before the answer starts. By then the message's files may have been
    copied to `files/`; when no message follows, a sweep removes the copies.
    """
    # Check: one round trip, in which everything is read that the turn begins with.
    run_id = context.run_id or uuid4().hex
    checked, _ = await asyncio.gather(
        check(request, run_id, context, services), services.quota.check(context)
    )
    model = await _model(request, services)
    await aws.together(*(services.attachments.keep(each) for each in checked.arrived))

    # Claim: the first write claims the run, in the same transaction.
    run = Run(run_id, checked.thread_id, deadline)
    turn_store = TurnStore(services.store, services.quota, run, checked)

    # Respond: the SDK's server calls `respond`, or runs the action.
    stop = Stop()
    server = AssistantServer(turn_store, services, model, stop, checked.action)
    result = await server.process(body, context)
    if not isinstance(result, StreamingResult):
        raise TypeError("a streaming request streams")
    events = _claimed(aiter(result), request, turn_store, services, context)

    # Stream: until the answer is over, whoever reads it.
    async def is_cancelled() -> bool:
        return await services.runs.is_cancelled(run.id, context)

    async def finish() -> None:
        if turn_store.claimed:
            await services.runs.finish(run.id, run.thread_id, context, stop.reason or "done")

    answer = Answer(events, stop, deadline=deadline, is_cancelled=is_cancelled, finish=finish)
    return answer.read()


async def _claimed(
    events: AsyncIterator[bytes],
    request: StreamingReq,
    turn_store: TurnStore,
    services: Services,
    context: RequestContext,
) -> AsyncIterator[bytes]:
    """The events of a run that is claimed, or a replay of the run that claimed it before."""
    new_thread = isinstance(request, ThreadsCreateReq)
    try:
        if not isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
            # A message claims its run as it is written. All else may do something before it writes.
            await turn_store.begin(context)
        if new_thread:
            # A thread is written with its first message: only then may the page know of it.
            created, message = await anext(events), await anext(events)
            yield created
            yield message
        async for event in events:
            yield event
    except RunAlreadyStarted as started:
        # The page sent the request again: it reads what the first run writes.
        async for event in replay(services, started.run, context, new_thread):
            yield event
    except RunCancelled:
        return  # stopped before it began


async def _model(request: StreamingReq, services: Services) -> Model:
    """The model that the visitor picked, or the first one. Raises `PublicError` without its key."""
    choice = services.models
    name = choice.names[0]
    if isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
        name = request.params.input.inference_options.model or name
    try:
        key = await choice.api_key()
    except SecretUnavailableError:
        # Not the request's fault, and sending it again would not help.
        raise PublicError(424, "The key of the model is not set here yet (make secret).") from None
    return build(choice, name, key, services.assistant.demo())
