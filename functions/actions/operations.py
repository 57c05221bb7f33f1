"""The ChatKit operations that the second function serves.

The SDK's server (`chatkit.server`) is not used, because it imports the Agents SDK, which takes most
of a cold start. The little that it does around an action is done here.
"""

import base64
import logging
from collections.abc import AsyncIterator

from chatkit.errors import CustomStreamError
from chatkit.types import (
    ChatKitReq,
    HiddenContextItem,
    InputTranscribeReq,
    Page,
    SDKHiddenContextItem,
    StreamOptions,
    StreamOptionsEvent,
    Thread,
    ThreadCustomActionParams,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    TranscriptionResult,
)
from fastapi import Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from ..context import RequestContext
from ..errors import PublicError
from ..services import Services
from ..store import DynamoDBStore
from ..toolkit.action_runs import ActionRun, recorded
from ..toolkit.dispatch import PreparedAction, known_action, prepare
from ..web.run_id import RUN_ID_HEADER
from ..web.sse import encode, error_event, to_json

logger = logging.getLogger(__name__)

CHAT_PATH = "/chatkit"
"""An action that streams an answer is redirected here, relative to the page's own origin."""


async def run_operation(
    request: ChatKitReq, context: RequestContext, services: Services
) -> Response:
    """The response to one operation. Raises `PublicError` before anything is changed."""
    match request:
        case ThreadsCustomActionReq():
            return await _run_streaming_action(request, context, services)
        case ThreadsSyncCustomActionReq():
            prepared = await _prepare(request.params, context, services)
            first = services.begins_first_run()
            async with recorded(request, context, services.runs, cold_start=first):
                return _json(await prepared.run_sync())
        case InputTranscribeReq():
            audio = base64.b64decode(request.params.audio_base64)
            mime_type = request.params.mime_type
            text = await services.dictation.transcribe(audio, mime_type, context)
            return _json(TranscriptionResult(text=text))
    raise PublicError(400, f"{request.type} is served by {CHAT_PATH}.")


async def _prepare(
    params: ThreadCustomActionParams, context: RequestContext, services: Services
) -> PreparedAction:
    actions, documents = services.assistant.actions, services.documents(context)
    return await prepare(params, actions, services.store, documents, context)


async def _run_streaming_action(
    request: ThreadsCustomActionReq, context: RequestContext, services: Services
) -> Response:
    action = known_action(services.assistant.actions, request.params.action.type)
    if action is not None and action.kind == "answer":
        return RedirectResponse(CHAT_PATH, 307)
    prepared = await _prepare(request.params, context, services)
    first = services.begins_first_run()
    async with recorded(request, context, services.runs, cold_start=first) as run:
        events = [event async for event in _run_and_store(prepared, context, services.store, run)]
    return Response(
        b"".join(encode(event) for event in events),
        # ChatKit's element would repeat the action after a response of any other type.
        media_type="text/event-stream",
        headers={"cache-control": "no-cache, no-transform", RUN_ID_HEADER: run.id},
    )


async def _run_and_store(
    prepared: PreparedAction, context: RequestContext, store: DynamoDBStore, run: ActionRun
) -> AsyncIterator[ThreadStreamEvent]:
    """Run an action, store its events as `ChatKitServer` does, and yield those for the page.

    Raises `PublicError` when the handler raises one before its first event.
    """
    thread = prepared.thread
    before = thread.model_copy(deep=True)
    started = False
    try:
        async for event in prepared.run():
            if not started:
                started = True
                yield StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=False))
            await _store_event(event, thread, context, store)
            if not _is_hidden(event):
                yield event
    except Exception as error:
        if isinstance(error, PublicError) and not started:
            raise
        run.error = error
        if not isinstance(error, PublicError | CustomStreamError):
            logger.exception("the action %s failed", prepared.name)
        # Not a 5xx, after which ChatKit's element would send the action five more times.
        yield error_event(error, run.id)
    if thread != before:
        await store.save_thread(thread, context)
        yield ThreadUpdatedEvent(thread=_without_metadata(thread))


async def _store_event(
    event: ThreadStreamEvent, thread: ThreadMetadata, context: RequestContext, store: DynamoDBStore
) -> None:
    match event:
        case ThreadItemDoneEvent():
            await store.add_thread_item(thread.id, event.item, context)
        case ThreadItemReplacedEvent():
            await store.save_item(thread.id, event.item, context)
        case ThreadItemRemovedEvent():
            await store.delete_thread_item(thread.id, event.item_id, context)


def _is_hidden(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(
        event.item, HiddenContextItem | SDKHiddenContextItem
    )


def _without_metadata(thread: ThreadMetadata) -> Thread:
    fields = thread.model_dump(exclude={"metadata"})
    return Thread(**fields, items=Page())


def _json(answer: BaseModel) -> Response:
    return Response(to_json(answer), media_type="application/json")
