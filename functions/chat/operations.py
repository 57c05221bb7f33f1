"""The operations that do not stream: lists, titles, feedback, files, dictation."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import quote

from chatkit.server import NonStreamingResult
from chatkit.store import NotFoundError
from chatkit.types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    AudioInput,
    ItemsFeedbackReq,
    ItemsListReq,
    NonStreamingReq,
    ThreadMetadata,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsSyncCustomActionReq,
    ThreadStreamEvent,
    ThreadsUpdateReq,
    TranscriptionResult,
    UserMessageItem,
)

from .. import aws
from ..context import RequestContext
from ..errors import PublicError
from ..limits import Use
from ..server import ServerMixin
from ..services import Services
from ..settings import Settings
from ..store.feedback import Mark
from ..toolkit.action_runs import recorded
from ..toolkit.dispatch import prepare
from ..web.app import FEEDBACK_HEADER, RUNNING_HEADER, running_header
from ..web.sse import to_json


@dataclass
class OperationResult:
    """The body of the answer, and extra response headers."""

    json: bytes
    headers: dict[str, str] = field(default_factory=dict)


def use_of(request: NonStreamingReq, settings: Settings) -> Use:
    """What an operation uses: nothing when it only reads."""
    match request:
        case AttachmentsCreateReq(params=params) if params.size <= settings.attachment_max_bytes:
            return Use(requests=1, upload_bytes=max(0, params.size))
        case (
            AttachmentsCreateReq()  # a file that is too large, which is refused
            | ThreadsUpdateReq()
            | ThreadsDeleteReq()
            | ItemsFeedbackReq()
            | AttachmentsDeleteReq()
            | ThreadsSyncCustomActionReq()
        ):
            return Use(requests=1)
    return Use()


class Operations(ServerMixin[RequestContext]):
    """Answers ChatKit's non-streaming operations."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.store, services.attachments)
        self._services = services

    async def run(self, request: NonStreamingReq, context: RequestContext) -> OperationResult:
        """Raises `PublicError` for an unknown thread, item or file, and for an invalid request."""
        try:
            match request:
                case ItemsListReq():
                    result: OperationResult
                    result, marks = await aws.together(
                        self._read(request, context),
                        self._services.store.load_feedback(request.params.thread_id, context),
                    )
                    _add_feedback(result, marks)
                    return result
                case ThreadsGetByIdReq():
                    return await self._read(request, context)
                case ThreadsSyncCustomActionReq():
                    prepared = await prepare(
                        request.params,
                        self._services.assistant.actions,
                        self._services.store,
                        self._services.documents(context),
                        context,
                    )
                    runs, first = self._services.runs, self._services.begins_first_run()
                    async with recorded(request, context, runs, cold_start=first):
                        return OperationResult(to_json(await prepared.run_sync()))
                case ThreadsDeleteReq():
                    await self._services.store.load_thread(request.params.thread_id, context)
                case AttachmentsDeleteReq():
                    attachment_id = request.params.attachment_id
                    await self._services.store.load_attachment(attachment_id, context)
            return OperationResult(await self._json(request, context))
        except NotFoundError:
            raise PublicError(404, _missing(request)) from None

    async def _read(
        self, request: ThreadsGetByIdReq | ItemsListReq, context: RequestContext
    ) -> OperationResult:
        """A thread or its items, with a header when an answer is still being written."""
        thread_id = request.params.thread_id
        running, json, _ = await aws.together(
            self._services.runs.running(thread_id, context),
            self._json(request, context),
            # Raises for an unknown thread. Listing its items would return an empty page.
            self._services.store.load_thread(thread_id, context),
        )
        if running is None:
            return OperationResult(json)
        return OperationResult(
            json, {RUNNING_HEADER: running_header(running.run_id, running.until)}
        )

    async def _json(self, request: NonStreamingReq, context: RequestContext) -> bytes:
        result = await self.process(request.model_dump_json(), context)
        if not isinstance(result, NonStreamingResult):
            raise TypeError("the SDK streamed the answer to an operation that does not stream")
        return result.json

    async def transcribe(
        self, audio_input: AudioInput, context: RequestContext
    ) -> TranscriptionResult:
        text = await self._services.dictation.transcribe(
            audio_input.data, audio_input.mime_type, context
        )
        return TranscriptionResult(text=text)

    def respond(
        self,
        thread: ThreadMetadata,  # noqa: ARG002 - the SDK's signature
        input_user_message: UserMessageItem | None,  # noqa: ARG002
        context: RequestContext,  # noqa: ARG002
    ) -> AsyncIterator[ThreadStreamEvent]:
        raise TypeError("streaming requests go to AssistantServer")


def _add_feedback(result: OperationResult, marks: list[Mark]) -> None:
    """Add the header with the marks of the items that are listed."""
    listed = {item["id"] for item in json.loads(result.json)["data"]} if marks else set()
    shown = [f"{quote(m.item_id, safe='')}={m.kind}" for m in marks if m.item_id in listed]
    if shown:
        result.headers[FEEDBACK_HEADER] = " ".join(shown)


def _missing(request: NonStreamingReq) -> str:
    match request:
        case ThreadsGetByIdReq() | ItemsListReq() | ThreadsUpdateReq() | ThreadsDeleteReq():
            return "This conversation, or the place in it, does not exist."
    return "That does not exist."
