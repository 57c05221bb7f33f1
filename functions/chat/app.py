"""The streaming function's ASGI app: every ChatKit operation, and the visitor's session.

The same app runs in Lambda under `functions.lambda_stream` and on a laptop under uvicorn.
"""

import time
from contextlib import suppress
from http import HTTPStatus

from chatkit.store import NotFoundError
from chatkit.types import NonStreamingReq, is_streaming_req
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from .. import VERSION, aws, telemetry
from ..context import RequestContext
from ..errors import PublicError
from ..limits import Use
from ..mcp.session import load
from ..services import (
    CountedVisitorDep,
    Services,
    ServicesDep,
    UncheckedVisitorDep,
    VisitorDep,
    act_for_visitor,
    introduce_caller,
)
from ..settings import Settings, get_settings
from ..web import app as web_app
from ..web import page_log
from ..web.body import read_body, read_json
from ..web.chatkit_request import MAX_FEEDBACK_ITEMS, parse
from ..web.identity import Visitor, request_context
from ..web.identity.cookies import remove_token
from ..web.identity.turnstile import CHALLENGE_REQUIRED, MAX_CHALLENGE
from ..web.rate import Rate
from . import own_data
from .answer import stop_all
from .message import answer_message
from .operations import OperationResult, Operations, use_of
from .report import report

MAX_SMALL_BODY = 16 * 1024
OWN_ROUTES = "/chatkit/x"
"""Where the assistant's own routes are."""
EVENT_STREAM = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

# No endpoint has a response model or declares a query parameter, because FastAPI would then import
# all of pydantic.v1 in every cold start.
router = APIRouter()
router.add_api_route("/chatkit/report", report, methods=["GET"], response_model=None)


@router.post("/chatkit", response_model=None)
async def chatkit(
    request: Request, visitor: UncheckedVisitorDep, services: ServicesDep
) -> Response:
    operation = parse(await read_body(request, services.settings.max_body_bytes))
    context = request_context(request, visitor, operation.metadata)
    response: Response
    if is_streaming_req(operation):
        deadline = _deadline(request, services.settings)
        stream = await answer_message(operation, context, visitor, services, deadline)
        headers = EVENT_STREAM | stream.headers
        response = StreamingResponse(stream.events, media_type="text/event-stream", headers=headers)
    else:
        result = await _run_operation(operation, context, visitor, services)
        response = Response(result.json, media_type="application/json", headers=result.headers)
    visitor.send_token(request, response)
    return response


async def _run_operation(
    operation: NonStreamingReq, context: RequestContext, visitor: Visitor, services: Services
) -> OperationResult:
    """The result of an operation, which is counted if it changes something."""
    await services.check_session(visitor)
    use = use_of(operation, services.settings)
    reservation = await services.limits.reserve(context, use, known=not visitor.new)
    try:
        result = await Operations(services).run(operation, context)
    except BaseException:
        await reservation.settle(Use(requests=use.requests))  # nothing will be uploaded
        raise
    await reservation.settle(use)
    return result


class SessionOpened(BaseModel):
    """The body of a request for a session, which may also have none. It is read only where the
    server asks newcomers for a challenge.
    """

    challenge: str | None = Field(None, max_length=MAX_CHALLENGE)
    """What the solved challenge has given the page."""


@router.post("/chatkit/session", response_model=None)
async def session(request: Request, services: ServicesDep) -> JSONResponse:
    """Who the visitor is, and which models and tools they may pick from the page's menus.

    An anonymous visitor who has no session, or has signed out, becomes a new one. No other route
    makes one where a challenge comes first.
    """
    challenge = None
    if services.settings.turnstile_site_key is not None:
        opened = await read_json(request, SessionOpened, MAX_SMALL_BODY, empty=True)
        challenge = opened.challenge
    visitor = await _counted_visitor(request, services)
    if visitor is None:
        visitor = await services.identity.newcomer(request, challenge)
    context = request_context(request, visitor)
    user: dict[str, object] = {"id": visitor.user_id}
    if visitor.signed_in:
        user |= {
            "name": visitor.name,
            "email": visitor.email,
            "roles": sorted(visitor.roles),
            "tenant": visitor.tenant,
        }
    response = JSONResponse(
        {
            "user": user,
            "signedIn": visitor.signed_in,
            "models": services.models.names_for(context),
            "modelLabels": services.models.labels_for(context),
            "tools": services.assistant.menu(context),
            "token": visitor.token if visitor.by_header else None,
            "expiresAt": visitor.expires_at.isoformat(),
        }
    )
    visitor.send_token(request, response)
    return response


async def _counted_visitor(request: Request, services: Services) -> Visitor | None:
    """The visitor whose session goes on; `None` for whoever has to become a new one.

    The request is counted by then, so that nobody can have challenges verified without a limit.
    """
    try:
        visitor = await act_for_visitor(request, services)
    except PublicError as refused:
        if refused.code != CHALLENGE_REQUIRED:
            raise
        return None
    counted = services.limits.spend(
        request_context(request, visitor), Use(requests=1), known=not visitor.new
    )
    try:
        await aws.together(counted, services.check_session(visitor))
    except PublicError as refused:
        if visitor.signed_in or refused.status != HTTPStatus.UNAUTHORIZED:
            raise
        return None
    return visitor


@router.post("/chatkit/session/end", response_model=None)
async def end_session(
    request: Request, visitor: UncheckedVisitorDep, services: ServicesDep
) -> Response:
    """Signs the visitor out everywhere: no session that has begun by now is accepted any more."""
    context = request_context(request, visitor)
    await services.limits.spend(context, Use(requests=1), known=not visitor.new)
    with suppress(PublicError):  # a session that is over needs no second end
        await services.check_session(visitor)
        if not visitor.new:
            await services.sessions.end_all(visitor)
    response = Response(status_code=204)
    if not visitor.signed_in:  # the cookie of somebody with an account is an anonymous visitor's
        remove_token(request, response)
    return response


@router.get("/chatkit/usage", response_model=None)
async def usage(request: Request, visitor: VisitorDep, services: ServicesDep) -> dict[str, object]:
    """What the visitor may use, and has used: see `Limits.used`."""
    return {"limits": await services.limits.used(request_context(request, visitor))}


@router.get("/chatkit/me/export", response_model=None)
async def export_own_data(visitor: CountedVisitorDep, services: ServicesDep) -> StreamingResponse:
    """Everything of the visitor, as a file that a browser saves."""
    headers = {"content-disposition": 'attachment; filename="my-data.json"'}
    entries = own_data.export(services, visitor)
    return StreamingResponse(entries, media_type="application/json", headers=headers)


@router.post("/chatkit/me/delete", response_model=None)
async def delete_own_data(
    request: Request, visitor: CountedVisitorDep, services: ServicesDep
) -> JSONResponse:
    """Deletes everything of the visitor, and signs them out everywhere.

    202 when it takes longer than one request may: then the page sends the same request again.
    """
    deadline = _deadline(request, services.settings)
    if not await own_data.delete(services, visitor, deadline):
        return JSONResponse({"done": False}, HTTPStatus.ACCEPTED)
    response = JSONResponse({"done": True})
    if not visitor.signed_in:
        remove_token(request, response)
    return response


@router.get("/chatkit/entities", response_model=None)
async def entities(
    request: Request, visitor: VisitorDep, services: ServicesDep
) -> dict[str, object]:
    query = request.query_params.get("q", "")[:200]
    documents = services.documents(request_context(request, visitor))
    return {"entities": await services.assistant.entities.search(query, documents)}


@router.get("/chatkit/files/{attachment_id}", response_model=None)
async def file(
    attachment_id: str, request: Request, visitor: VisitorDep, services: ServicesDep
) -> dict[str, str]:
    """A link with which the visitor saves a file that they have sent."""
    context = request_context(request, visitor)
    try:
        attachment = await services.store.load_attachment(attachment_id, context)
    except (NotFoundError, ValueError):
        raise PublicError(404, "That file does not exist any more.") from None
    return {"url": await services.attachments.link(attachment, context)}


@router.get("/chatkit/knowledge/passages/{passage_id}", response_model=None)
async def passage(
    passage_id: str, request: Request, visitor: CountedVisitorDep, services: ServicesDep
) -> dict[str, object]:
    """A passage that an answer cites, with its surroundings and a link to the original."""
    view = None
    if services.knowledge is not None:
        context = request_context(request, visitor)
        view = await services.knowledge.passage(
            passage_id, tenant=context.tenant, roles=context.roles
        )
    if view is None:
        raise PublicError(404, "That passage does not exist any more.")
    return {
        "title": view.title,
        "path": view.path,
        "headings": view.passage.headings,
        "page": view.passage.page,
        "before": view.before,
        "text": view.passage.text,
        "after": view.after,
        "link": view.link,
    }


class FeedbackTakenBack(BaseModel):
    """Which items the visitor no longer likes or dislikes. ChatKit has no operation for this."""

    thread_id: str
    item_ids: list[str] = Field(min_length=1, max_length=MAX_FEEDBACK_ITEMS)


@router.post("/chatkit/feedback/remove", response_model=None)
async def remove_feedback(
    request: Request, visitor: CountedVisitorDep, services: ServicesDep
) -> Response:
    given = await read_json(request, FeedbackTakenBack, MAX_SMALL_BODY)
    context = request_context(request, visitor)
    try:
        await services.store.save_feedback(given.thread_id, given.item_ids, None, context)
    except (NotFoundError, ValueError):  # an id that is too long is no item's
        raise PublicError(404, "That does not exist.") from None
    return Response(status_code=204)


@router.post("/chatkit/log", response_model=None)
async def log(request: Request, services: ServicesDep) -> Response:
    await services.count_unknown(request)
    event = await read_json(request, page_log.PageEvent, MAX_SMALL_BODY)
    wait = request.app.state.page_log_rate.spend(await _known_visitor(request, services))
    if wait is not None:
        raise PublicError(429, "Too many log entries. Try later.", {"retry-after": str(wait)})
    page_log.write(event)
    return Response(status_code=204)


async def _known_visitor(request: Request, services: Services) -> str:
    """The visitor's id; empty for those who have none yet. A page may log before it has one."""
    try:
        visitor = await services.identity.identify(request)
    except PublicError:
        return ""
    return "" if visitor.new else visitor.user_id


@router.api_route("/chatkit/health", methods=["GET", "HEAD"], response_model=None)
async def health(services: ServicesDep) -> dict[str, str]:
    return {"status": "ok", "version": VERSION, "model": services.models.names[0]}


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """The app for `settings`, or for those of the environment.

    `services` are made from the settings unless they are given. Raises `ValueError` for invalid
    settings. Opens no connection and reads no secret.
    """
    telemetry.configure()
    services = services or Services.of(settings or get_settings())

    assistant = services.assistant

    async def start_up() -> None:
        if services.settings.mcp_servers:
            await load()  # before the first visitor waits for it
        await assistant.start_up()

    async def shut_down() -> None:
        await stop_all()
        await services.mcp.close()
        await assistant.shut_down()
        await services.transcriber.aclose()

    app = web_app.create(
        services.settings,
        on_startup=start_up,
        on_shutdown=shut_down,
        passed_headers=assistant.headers,
    )
    app.state.services = services
    app.state.page_log_rate = Rate(page_log.EACH_A_MINUTE, page_log.TOTAL_A_MINUTE)
    app.include_router(router)
    if assistant.routes is not None:
        app.include_router(
            assistant.routes, prefix=OWN_ROUTES, dependencies=[Depends(introduce_caller)]
        )
    return app


def _deadline(request: Request, settings: Settings) -> float:
    """When an answer has to end, in seconds since the epoch.

    In Lambda that is some seconds before Lambda stops the function. `answer_seconds` applies
    everywhere, so a laptop behaves like Lambda.
    """
    limit = time.time() + settings.answer_seconds
    function = request.scope.get("extensions", {}).get("aws.lambda")
    if function is not None:
        limit = min(limit, function["deadline_ms"] / 1000 - settings.answer_margin_seconds)
    return limit
