"""Reserves what an answer may use, in the same round trip as the checks."""

import asyncio

from chatkit.types import (
    StreamingReq,
    ThreadItem,
    ThreadsAddClientToolOutputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    UserMessageInput,
)

from ..context import RequestContext
from ..limit_table import Price
from ..limits import OverLimit, Reservation, Use
from ..limits.answer_use import FREE, AnswerUse, tokens_of
from ..limits.budget import log_if_budget
from ..llm.length import BYTES_OF_A_TOKEN
from ..llm.metered import IMAGE_TOKENS, UNKNOWN_OUTPUT
from ..services import Services
from ..settings import Settings
from ..toolkit.approvals import DECIDE
from .checks import Checked

OVERHEAD = 4_000
"""Tokens of the instructions and of the tools' descriptions. A first call that needs more
reserves it in a round trip of its own."""


class Reserving:
    """A reservation that begins at once, while the request is being checked.

    It holds until `until` (Unix seconds), when the answer has ended.
    """

    def __init__(
        self,
        request: StreamingReq,
        model: str,
        context: RequestContext,
        services: Services,
        *,
        until: float,
    ) -> None:
        self._request = request
        self._context = context
        self._services = services
        self._until = until
        self._price = services.settings.prices.get(model, FREE)
        self._use = _most(request, services.settings, self._price)
        self._reserving = asyncio.create_task(self._reserve(self._use))

    async def result(self, checked: Checked) -> AnswerUse:
        """What is reserved. Raises `OverLimit`.

        At first it is what the longest conversation may need. When that is too much, the one that
        was read is measured, and there is one more round trip.
        """
        try:
            reservation = await self._smallest(checked)
        except OverLimit as over:
            log_if_budget(over)
            raise
        return AnswerUse(reservation, self._use, self._price)

    async def _smallest(self, checked: Checked) -> Reservation:
        try:
            return await self._reserving
        except OverLimit as over:
            may_shrink = over.measure.of in {"input_tokens", "microdollars"}
            if not may_shrink or isinstance(self._request, ThreadsCreateReq):
                raise
        items = await checked.newest.all()
        self._use = _estimated(self._request, items, self._services.settings, self._price)
        self._reserving = asyncio.create_task(self._reserve(self._use))
        return await self._reserving

    async def give_back(self) -> None:
        """Give back what is reserved, because nothing is answered. The request is counted."""
        await asyncio.wait({self._reserving})
        if self._reserving.exception() is None:  # else nothing is reserved
            await self._reserving.result().settle(Use(requests=1))

    async def _reserve(self, use: Use) -> Reservation:
        return await self._services.limits.reserve(self._context, use, until=self._until)


def _most(request: StreamingReq, settings: Settings, price: Price) -> Use:
    """The most that the answer's first call may use, as far as the request alone tells."""
    history = settings.history_tokens
    if isinstance(request, ThreadsCreateReq):
        history = min(history, _tokens(request.params.input.model_dump_json()))
    return _use(request, history, settings, price)


def _estimated(
    request: StreamingReq, items: list[ThreadItem], settings: Settings, price: Price
) -> Use:
    """The same when the conversation is known: it is often shorter than it may be."""
    message = _message_of(request)
    texts = [item.model_dump_json() for item in items]
    texts += [] if message is None else [message.model_dump_json()]
    return _use(request, min(_tokens(*texts), settings.history_tokens), settings, price)


def _use(request: StreamingReq, history: int, settings: Settings, price: Price) -> Use:
    message = _message_of(request)
    files = 0 if message is None else len(message.attachments)
    input_tokens = OVERHEAD + history + files * IMAGE_TOKENS
    output_tokens = settings.answer_tokens or UNKNOWN_OUTPUT
    messages = 0 if _continues(request) else 1
    use = Use(messages=messages, answers=1, requests=1)
    return tokens_of(price, input_tokens, output_tokens) + use


def _continues(request: StreamingReq) -> bool:
    """Whether an answer goes on, which counts as no new message: after a tool of the page, and
    after an approval.
    """
    if isinstance(request, ThreadsCustomActionReq):
        return request.params.action.type == DECIDE.name
    return isinstance(request, ThreadsAddClientToolOutputReq)


def _message_of(request: StreamingReq) -> UserMessageInput | None:
    if isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
        return request.params.input
    return None


def _tokens(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts) // BYTES_OF_A_TOKEN
