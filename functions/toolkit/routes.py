"""Routes of an assistant: `Assistant.routes` and `Assistant.action_routes`.

    router = APIRouter()

    @router.get("/orders", response_model=None)
    async def orders(caller: CallerDep) -> dict[str, object]:
        return {"orders": await caller.documents.read(ORDERS)}

This is `GET /chatkit/x/orders` in `routes`, and `GET /actions/x/orders` in `action_routes`. The
engine finds out who asks and counts the request before a route is called. A request without a
session gets a 401 or a new anonymous visitor, as everywhere. Raise `PublicError` for what the
caller did wrong. Give a route `response_model=None` and read queries from `request.query_params`,
or FastAPI imports all of `pydantic.v1` in every cold start.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ..context import RequestContext
from ..store import DynamoDBStore
from .documents import Documents


@dataclass(frozen=True)
class Caller:
    """Who calls a route of the assistant, and what is theirs."""

    context: RequestContext
    documents: Documents
    store: DynamoDBStore
    """The store of conversations. It returns only those of this user."""


def caller_of(request: Request) -> Caller:
    """The caller, whom the engine has found out before."""
    caller: Caller = request.state.caller
    return caller


CallerDep = Annotated[Caller, Depends(caller_of)]
