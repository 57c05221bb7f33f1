"""Opens the stream that answers a message: checked first, then run to its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import uuid4

from chatkit.server import StreamingResult
from chatkit.types import (
    StreamingReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
)

from ..assistant.agent import TOOLS
from ..aws.secret_values import SecretUnavailableError
from ..context import RequestContext
from ..errors import PublicError
from ..llm import ModelChoice, build
from ..services import Services
from ..store.quota import OverQuota
from ..store.runs import Run, RunAlreadyStarted, RunCancelled
from .answer import Answer, StopReason
from .checks import StreamChecks
from .replay import replay
from .server import AssistantServer
from .turn_store import TurnStore

if TYPE_CHECKING:
    from agents import Model


class Streams:
    """Makes one `Answer` for each streaming request."""

    def __init__(self, services: Services, choice: ModelChoice) -> None:
        self._services = services
        self._choice = choice
        self._checks = StreamChecks(
            services.store,
            services.attachments,
            services.runs,
            models=choice.names,
            tools=frozenset(tool.name for tool in TOOLS),
            history=services.settings.history_items,
        )

    async def open(
        self, request: StreamingReq, body: bytes, context: RequestContext, deadline: float
    ) -> AsyncIterator[bytes]:
        """The answer to `request`, as server-sent events. Raises `PublicError` before it starts.

        Nothing is written to the table before the first event is asked for, which is after
        the response's headers are out. The message's files are copied to `files/` before, since
        one that changed is a refusal; where no message follows, they are left to a sweep.
        """
        run = Run(id=context.run_id or uuid4().hex, thread_id="", deadline=deadline)
        turn = TurnStore(self._services.store, run, self._services.quota)
        server = AssistantServer(
            turn,
            files=self._services.attachments,
            data=self._services.assistant_data(context),
            settings=self._services.settings,
        )
        try:
            checked, _, events = await asyncio.gather(
                self._checks.check(request, turn, context),
                self._within_quota(context),
                _process(server, body, context),
            )
            server.model = await self._model(request)
            await self._checks.keep(checked)
        except BaseException:
            turn.newest.forget()
            raise
        turn.attachments = {file.id: file for file in checked.attachments}
        server.prepared = checked.action

        def stopping(reason: StopReason) -> None:
            server.stopped = reason

        async def finish(reason: StopReason | None) -> None:
            if turn.claimed:
                await self._services.runs.finish(
                    run.id, turn.run.thread_id, context, reason or "done"
                )

        async def is_cancelled() -> bool:
            return await self._services.runs.is_cancelled(run.id, context)

        answer = Answer(
            self._events(server, request, events, context),
            deadline=deadline,
            is_cancelled=is_cancelled,
            stopping=stopping,
            finish=finish,
        )
        return answer.read()

    async def _events(
        self,
        server: AssistantServer,
        request: StreamingReq,
        events: AsyncIterator[bytes],
        context: RequestContext,
    ) -> AsyncIterator[bytes]:
        new_thread = isinstance(request, ThreadsCreateReq)
        try:
            if not isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
                # A message claims its run as it is written; what else there is may act first.
                await server.store.begin(context)
            if new_thread:
                # A thread is written with its first message, and told of when it is.
                created, message = await anext(events), await anext(events)
                yield created
                yield message
            async for event in events:
                yield event
        except RunAlreadyStarted as started:
            # The page sent the request again: it reads what the first one writes.
            async for event in replay(self._services, started.run, context, new_thread):
                yield event
        except RunCancelled:
            return  # stopped before it began
        finally:
            server.store.newest.forget()

    async def _within_quota(self, context: RequestContext) -> None:
        try:
            await self._services.quota.check(context)
        except OverQuota as over:
            raise PublicError(429, over.message, {"retry-after": str(over.retry_after)}) from None

    async def _model(self, request: StreamingReq) -> "Model":
        name = self._choice.names[0]
        if isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
            name = request.params.input.inference_options.model or name
        try:
            key = await self._choice.api_key()
        except SecretUnavailableError:
            # No fault of the request's, and nothing that sending it again would mend.
            raise PublicError(
                424, "The key of the model is not set here yet (make secret)."
            ) from None
        return build(self._choice, name, key)


async def _process(
    server: AssistantServer, body: bytes, context: RequestContext
) -> AsyncIterator[bytes]:
    """What the SDK makes of the request; nothing happens before its first event is asked for.

    The SDK takes milliseconds to read it, while the table reads too.
    """
    result = await server.process(body, context)
    if not isinstance(result, StreamingResult):
        raise TypeError("a streaming request streams")
    return aiter(result)
