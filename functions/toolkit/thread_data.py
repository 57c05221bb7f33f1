"""`ThreadData`: what an assistant stores for one conversation."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from chatkit.store import NotFoundError
from pydantic import BaseModel

from ..context import RequestContext
from ..errors import ActionError
from .documents import Document, Documents, Records

M = TypeVar("M", bound=BaseModel)


class NoData(BaseModel):
    """The data of an assistant that keeps none."""


class ThreadData(Generic[M]):
    """The data of one conversation, in a model of the assistant's (`Assistant.thread_data`).

    It is deleted and exported with the conversation, and expires with it. Reads are strongly
    consistent. It is at most 350,000 bytes as JSON.
    """

    def __init__(self, records: Records, context: RequestContext, model: type[M]) -> None:
        self._documents = Documents(records, context)
        self._document: Document[M] = Document("thread", model, model)

    async def read(self) -> M:
        """The data, or the model's defaults when none is stored. Makes one request."""
        return await self._documents.read(self._document)

    async def change(self, change: Callable[[M], M]) -> M:
        """Replace the data with the result of `change`, and return it. Makes two requests.

        `change` must return new data and not modify its argument:

            await turn.thread_data.change(lambda case: case.model_copy(update={"open": False}))

        It may be called several times. When it raises, nothing is written. Raises `ActionError`:
        409 when others change the data on every attempt, 404 when the conversation was deleted.
        """
        try:
            return await self._documents.change(self._document, change)
        except NotFoundError:
            raise ActionError(404, "This conversation is not there any more.") from None


def thread_data(records: Any, thread_id: str, context: RequestContext, model: Any) -> Any:
    """The `ThreadData` of a conversation, for the engine. `records` are the store's `Records`."""
    return ThreadData(records.of_thread(thread_id), context, model or NoData)
