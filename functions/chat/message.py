"""How a message is answered, from top to bottom: check, claim, respond, stream.

The app has parsed the request. The checks run before the stream starts, because an error inside a
stream can no longer change the status 200. Nothing is written to the table before the response's
headers are sent, because ChatKit's element sends a request again after a 5xx.
"""

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
from ..llm.refusal_log import LogRefusals
from ..services import Services
from ..store import Run, RunAlreadyStarted, RunCancelled
from ..web.identity import Visitor
from .answer import Answer, Stop
from .checks import check
from .mentions import resolve_mentions
from .replay import replay
from .run_store import RunStore
from .server import AssistantServer


async def answer_message(
    request: StreamingReq,
    context: RequestContext,
    visitor: Visitor,
    services: Services,
    deadline: float,
) -> AsyncIterator[bytes]:
    """The answer to `request`, as server-sent events. `deadline` is in seconds since the epoch.

    `visitor` may have signed out: that is one of the checks.

    Raises `PublicError` before the answer starts. The message's files may have been copied to
    `files/` by then; a sweep removes copies that no message refers to.
    """
    # Check: read everything that is needed before the model is called, in one round trip.
    run_id = context.run_id or uuid4().hex
    _, checked, _, _ = await aws.together(
        services.check_session(visitor),  # its error goes first
        check(request, run_id, context, services),
        services.quota.check(context),
        resolve_mentions(request, context, services),
    )
    model = await _build_model(request, services)
    await aws.together(*(services.attachments.keep(each) for each in checked.arrived))

    # Claim: the first write claims the run, in the same transaction.
    run = Run(run_id, checked.thread_id, deadline)
    run_store = RunStore(services.store, services.quota, run, checked)

    # Respond: the SDK's server calls `respond` or `action`.
    stop = Stop()
    server = AssistantServer(run_store, services, model, stop, checked.action)
    result = await server.process(request.model_dump_json(), context)
    if not isinstance(result, StreamingResult):
        raise TypeError("the SDK did not stream the answer to a streaming request")
    events = _replay_if_claimed(aiter(result), request, run_store, services, context)

    # Stream: the run goes on until the answer is complete, even without a reader.
    async def is_cancelled() -> bool:
        return await services.runs.is_cancelled(run.id, context)

    async def finish() -> None:
        if run_store.claimed:
            await services.runs.finish(run.id, run.thread_id, context, stop.reason or "done")

    answer = Answer(events, stop, deadline=deadline, is_cancelled=is_cancelled, finish=finish)
    return answer.read()


async def _replay_if_claimed(
    events: AsyncIterator[bytes],
    request: StreamingReq,
    run_store: RunStore,
    services: Services,
    context: RequestContext,
) -> AsyncIterator[bytes]:
    """The events of this run, or a replay when an earlier request has claimed the run."""
    new_thread = isinstance(request, ThreadsCreateReq)
    try:
        if not isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
            # Writing a message claims its run. Other requests may act before they write, so claim
            # the run first.
            await run_store.claim(context)
        if new_thread:
            # A thread is written together with its first message. Send both after that write.
            created, message = await anext(events), await anext(events)
            yield created
            yield message
        async for event in events:
            yield event
    except RunAlreadyStarted as started:
        # The page sent the request again.
        async for event in replay(services, started.run, context, new_thread):
            yield event
    except RunCancelled:
        return  # the visitor stopped the run before it began
    finally:
        run_store.newest.cancel()


async def _build_model(request: StreamingReq, services: Services) -> Model:
    """The model that the visitor picked, or the default one. Raises `PublicError` without a key."""
    choice = services.models
    name = choice.names[0]
    if isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
        name = request.params.input.inference_options.model or name
    try:
        key = await choice.api_key()
    except SecretUnavailableError:
        # A 4xx, so that ChatKit's element does not send the request again.
        raise PublicError(424, "The key of the model is not set here yet (make secret).") from None
    model = build(choice, name, key, services.assistant.demo())
    return LogRefusals(model, choice.provider, name)
