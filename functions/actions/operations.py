"""The ChatKit operations that the second function serves.

The SDK's own server (`chatkit.server`) would do, but importing it imports the
agents SDK, which is most of a cold start. What it does around an action is little
and stands here; the types, the store and the widgets need no agents.
"""

import base64
import logging
from collections.abc import AsyncIterator

from chatkit.errors import CustomStreamError, ErrorCode
from chatkit.types import (
    ChatKitReq,
    ErrorEvent,
    HiddenContextItem,
    InputTranscribeReq,
    Page,
    SDKHiddenContextItem,
    StreamOptions,
    StreamOptionsEvent,
    Thread,
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
from ..errors import ActionError, PublicError
from ..store import DynamoDBStore
from ..toolkit.actions import find
from ..toolkit.dispatch import PreparedAction, check
from ..voice.dictation import Dictation

logger = logging.getLogger(__name__)

CHAT = "/chatkit"
"""Where what must stream is sent on to. Relative: only the page knows its own origin."""


class Operations:
    def __init__(self, store: DynamoDBStore, dictation: Dictation) -> None:
        self._store = store
        self._dictation = dictation

    async def run(self, request: ChatKitReq, context: RequestContext) -> Response:
        """The answer to one operation. Raises `PublicError` for what cannot be done, before
        anything is changed.
        """
        match request:
            case ThreadsCustomActionReq():
                return await self._action(request, context)
            case ThreadsSyncCustomActionReq():
                prepared = await check(request.params, self._store, context)
                return _json(await prepared.run_sync())
            case InputTranscribeReq():
                text = await self._dictation.transcribe(
                    base64.b64decode(request.params.audio_base64),
                    request.params.mime_type,
                    context,
                )
                return _json(TranscriptionResult(text=text))
        raise PublicError(400, f"{request.type} is served by {CHAT}.")

    async def _action(self, request: ThreadsCustomActionReq, context: RequestContext) -> Response:
        registered = find(request.params.action.type)
        if registered is not None and registered.kind == "answer":
            return RedirectResponse(CHAT, 307)
        prepared = await check(request.params, self._store, context)
        events = [event async for event in self._stored(prepared, context)]
        return Response(
            b"".join(b"data: " + _serialized(event) + b"\n\n" for event in events),
            # Anything but an event stream, and the element would send the action again.
            media_type="text/event-stream",
            headers={"cache-control": "no-cache, no-transform"},
        )

    async def _stored(
        self, prepared: PreparedAction, context: RequestContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """The action's events, stored as `ChatKitServer` stores them, and those that a page sees.

        Raises `ActionError` when the first thing that the action does is to refuse.
        """
        thread = prepared.thread
        before = thread.model_copy(deep=True)
        begun = False
        try:
            async for event in prepared.run():
                if not begun:
                    begun = True
                    yield StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=False))
                await self._store_event(event, thread, context)
                if not _is_hidden(event):
                    yield event
        except ActionError as error:
            if not begun:
                raise
            yield ErrorEvent(message=error.message)
        except CustomStreamError as error:
            yield ErrorEvent(message=error.message, allow_retry=error.allow_retry)
        except Exception:
            # A 5xx would have the element send the action five times more.
            logger.exception("an action failed")
            yield ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True)
        if thread != before:
            await self._store.save_thread(thread, context)
            yield ThreadUpdatedEvent(thread=_shown(thread))

    async def _store_event(
        self, event: ThreadStreamEvent, thread: ThreadMetadata, context: RequestContext
    ) -> None:
        match event:
            case ThreadItemDoneEvent():
                await self._store.add_thread_item(thread.id, event.item, context)
            case ThreadItemReplacedEvent():
                await self._store.save_item(thread.id, event.item, context)
            case ThreadItemRemovedEvent():
                await self._store.delete_thread_item(thread.id, event.item_id, context)


def _is_hidden(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(
        event.item, HiddenContextItem | SDKHiddenContextItem
    )


def _shown(thread: ThreadMetadata) -> Thread:
    fields = thread.model_dump(exclude={"metadata"})
    return Thread(**fields, items=Page())


def _json(answer: BaseModel) -> Response:
    return Response(_serialized(answer), media_type="application/json")


def _serialized(answer: BaseModel) -> bytes:
    # As ChatKitServer does it: no nulls, no attachment's metadata.
    return answer.model_dump_json(
        by_alias=True, exclude_none=True, context={"exclude_metadata": True}
    ).encode()
