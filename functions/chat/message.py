"""How a message is answered, from top to bottom: reserve and check, claim, respond, stream.

The app has parsed the request. The checks run before the stream starts, because an error inside a
stream can no longer change the status 200. Nothing is written before the response's headers are
sent but counters, because ChatKit's element sends a request again after a 5xx.
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
from ..limits.answer_use import AnswerUse
from ..llm.fallback import FallbackModel
from ..llm.metered import MeteredModel
from ..llm.refusal_log import LogRefusals
from ..llm.traced import TracedModel
from ..services import Services
from ..store import Run, RunAlreadyStarted, RunCancelled
from ..web.identity import Visitor
from ..web.run_id import RUN_ID_HEADER
from .answer import Answer, EventStream, Stop
from .checks import check
from .mentions import resolve_mentions
from .models import TurnModels
from .recorder import Recorder, describe
from .replay import replay, replay_once
from .reserving import Reserving
from .run_store import RunStore
from .server import AssistantServer

NAMED_AS_OPENAI_DOES = frozenset({"openai", "azure", "bedrock"})
"""Providers whose chat completions call the limit of an answer as OpenAI's do."""

ASKED_TO_REPORT = frozenset({"gemini", "azure", "bedrock"})
"""Providers that report the tokens of a streamed chat completion when they are asked. The SDK asks
OpenAI by itself. Some other servers refuse a request that asks."""


async def answer_message(
    request: StreamingReq,
    context: RequestContext,
    visitor: Visitor,
    services: Services,
    deadline: float,
) -> EventStream:
    """The answer to `request`, as server-sent events. `deadline` is in seconds since the epoch.

    `visitor` may have signed out: that is one of the checks.

    Raises `PublicError` before the answer starts. The message's files may have been copied to
    `files/` by then; a sweep removes copies that no message refers to.
    """
    collector = services.collector
    trace = None if collector is None else collector.begin(f"chatkit {request.type}")
    services.mcp.warm_up(services.settings.mcp_servers)
    run_id = context.run_id or uuid4().hex
    model_name = _model_name(request, services)
    reserving = Reserving(request, model_name, context, services, until=deadline)
    try:
        # Reserve and check: count the message, and read everything that is needed before the
        # model is called, in one round trip.
        _, earlier, checked, _ = await aws.together(
            services.check_session(visitor),  # its error goes first
            services.runs.find(context.run_id, context),
            check(request, run_id, context, services),
            resolve_mentions(request, context, services),
        )
        if earlier is not None:
            await reserving.give_back()
            new_thread = isinstance(request, ThreadsCreateReq)
            again = await replay_once(services, earlier, context, new_thread, deadline)
            return EventStream(again.events, {RUN_ID_HEADER: earlier.id, **again.headers})
        use = await reserving.result(checked)
        model = await _build_model(model_name, use, services)
        await aws.together(*(services.attachments.keep(each) for each in checked.arrived))

        # Claim: the first write claims the run, in the same transaction.
        run = Run(run_id, checked.thread_id, deadline)
        run_store = RunStore(services.store, run, checked)
        recorder = Recorder(
            request,
            run,
            context,
            models=services.models,
            model=model_name,
            cold_start=services.begins_first_run(),
        )

        # Respond: the SDK's server calls `respond` or `action`.
        stop = Stop()
        models = TurnModels(
            model,
            lambda name: _build_model(name, use, services),
            name=model_name,
            full_name=lambda name: f"{services.models.model(name).provider}/{name}",
        )
        server = AssistantServer(
            run_store,
            services,
            models,
            use,
            stop,
            action=checked.action,
            visitor=visitor,
            recorder=recorder,
        )
        result = await server.process(request.model_dump_json(), context)
        if not isinstance(result, StreamingResult):
            raise TypeError("the SDK did not stream a streaming request")  # noqa: TRY301
    except BaseException:
        await reserving.give_back()
        raise
    events = _replay_if_claimed(aiter(result), request, run_store, services, context)

    # Stream: the run goes on until the answer is complete, even without a reader.
    async def is_cancelled() -> bool:
        return server.allows_stop and await services.runs.is_cancelled(run.id, context)

    async def settle() -> None:
        await server.end_summary()  # its tokens count, and Lambda freezes after the answer
        if not run_store.claimed:
            await use.settle(began=False)
            return
        record = recorder.end(stop, use)
        await aws.together(use.settle(began=True), services.runs.keep_record(record, context))
        if trace is not None:
            describe(trace, record)

    async def finish() -> None:
        if run_store.claimed:
            ended = services.runs.finish(run.id, run.thread_id, context, stop.reason or "done")
            await aws.together(ended, settle())
            if trace is not None and collector is not None:
                await collector.send(trace)
        else:
            await settle()

    answer = Answer(
        events, stop, run_id=run.id, deadline=deadline, is_cancelled=is_cancelled, finish=finish
    )
    return EventStream(answer.read(), {RUN_ID_HEADER: run.id})


async def _replay_if_claimed(
    events: AsyncIterator[bytes],
    request: StreamingReq,
    run_store: RunStore,
    services: Services,
    context: RequestContext,
) -> AsyncIterator[bytes]:
    """The events of this run, or a replay when an earlier request has claimed it just now."""
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
        # The page sent the request again, at nearly the same time.
        if await services.runs.claim_replay(started.run, context):
            try:
                async for event in replay(services, started.run, context, new_thread):
                    yield event
            finally:
                await services.runs.end_replay(started.run, context)
    except RunCancelled:
        return  # the visitor stopped the run before it began
    finally:
        run_store.newest.cancel()


def _model_name(request: StreamingReq, services: Services) -> str:
    """The model that the visitor picked, or the default one."""
    picked = None
    if isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
        picked = request.params.input.inference_options.model
    return picked or services.models.names[0]


async def _build_model(name: str, use: AnswerUse, services: Services) -> Model:
    """The model, which counts its calls in `use`. Raises `PublicError` without a key.

    Where a fallback is set, that model answers when this one fails before its first token.
    """
    model = await _metered(name, use, services)
    fallback = services.models.fallback_of(name)
    if fallback is None:
        return model

    async def second() -> Model:
        use.fallback = fallback.id
        return await _metered(fallback.id, use, services)

    return FallbackModel(model, name, fallback.id, second)


async def _metered(name: str, use: AnswerUse, services: Services) -> Model:
    choice, settings = services.models, services.settings
    chosen = choice.model(name)
    try:
        key = await chosen.api_key()
    except SecretUnavailableError:
        # A 4xx, so that ChatKit's element does not send the request again.
        raise PublicError(424, "The key of the model is not set here yet (make secret).") from None
    model = services.build_model(choice, name, key, services.assistant.demo())
    # OpenAI's chat completions refuse `max_tokens` for reasoning models and take this name instead:
    # https://platform.openai.com/docs/api-reference/chat/create
    chat_of_openai = chosen.api == "chat_completions" and chosen.provider in NAMED_AS_OPENAI_DOES
    if services.collector is not None:
        model = TracedModel(model, chosen.provider, name)
    return MeteredModel(
        LogRefusals(model, chosen.provider, name),
        use,
        output_limit=settings.answer_tokens,
        limit_name="max_completion_tokens" if chat_of_openai else "max_tokens",
        ask=chosen.provider in ASKED_TO_REPORT and services.limits.count_tokens,
        price=settings.prices.get(name),
    )
