"""The streaming function's ASGI app: every ChatKit operation, and who is asking.

The same app runs in Lambda under `functions.lambda_stream` and on a laptop under
uvicorn; it knows neither.
"""

import json
import logging
import time
from typing import Annotated, Literal

from chatkit.types import is_streaming_req
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from .. import VERSION, telemetry
from ..errors import PublicError
from ..llm import choose
from ..services import Services
from ..settings import Settings, get_settings
from ..toolkit.entities import search_entities
from ..web import app as web_app
from ..web.app import read_body
from ..web.chatkit_request import parse
from ..web.identity import Visitor, identity_of, request_context
from .answer import stop_all
from .message import Streams
from .operations import Operations

logger = logging.getLogger(__name__)

LOG_LIMIT = 16 * 1024
EVENT_STREAM = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}


class PageEvent(BaseModel):
    """What the page reports of itself. Its words are logged, so none of a message's may be
    among them: `detail` takes short values only.
    """

    level: Literal["error", "warning", "info"]
    event: str = Field(max_length=100, pattern=r"^[\w.:/ -]+$")
    detail: dict[str, str | int | float | bool | None] = Field(default_factory=dict, max_length=20)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app for `settings`, or for those of the environment. Raises `ValueError` in words
    when they do not make sense; opens no connection and reads no secret.
    """
    settings = settings or get_settings()
    telemetry.configure()
    choice = choose(settings)
    services = Services(settings)
    identity = identity_of(settings)
    streams = Streams(services, choice)
    operations = Operations(services)

    async def shut_down() -> None:
        await stop_all()
        await services.transcriber.aclose()

    app = web_app.create(settings, on_shutdown=shut_down)

    async def visitor_of(request: Request) -> Visitor:
        return await identity.identify(request)

    Asking = Annotated[Visitor, Depends(visitor_of)]  # noqa: N806 - a type

    @app.post("/chatkit")
    async def chatkit(request: Request, visitor: Asking) -> Response:
        body = await read_body(request, settings.max_body_bytes)
        operation = parse(body)
        context = request_context(request, visitor)
        context.metadata = operation.metadata
        response: Response
        if is_streaming_req(operation):
            answer = await streams.open(operation, body, context, _deadline(request, settings))
            response = StreamingResponse(
                answer, media_type="text/event-stream", headers=EVENT_STREAM
            )
        else:
            result = await operations.run(operation, body, context)
            response = Response(result.json, media_type="application/json", headers=result.headers)
        visitor.introduce(request, response)
        return response

    @app.post("/chatkit/session")
    async def session(request: Request, visitor: Asking) -> JSONResponse:
        response = JSONResponse(
            {
                "user": {"id": visitor.user_id},
                "token": visitor.token if visitor.cross_origin else None,
                "expiresAt": visitor.expires_at.isoformat(),
            },
            headers={"cache-control": "no-store"},
        )
        visitor.introduce(request, response)
        return response

    # No response model and no declared query here: FastAPI would import all of pydantic.v1 to
    # look at their types, which every cold start would pay for.
    @app.get("/chatkit/entities", response_model=None)
    async def entities(request: Request, visitor: Asking) -> dict[str, object]:
        q = request.query_params.get("q", "")[:200]
        context = request_context(request, visitor)
        return {"entities": await search_entities(q, services.assistant_data(context))}

    @app.post("/chatkit/log", status_code=204)
    async def page_log(request: Request) -> Response:
        event = _page_event(await read_body(request, LOG_LIMIT))
        logger.log(
            logging.getLevelNamesMapping()[event.level.upper()],
            "page: %s %s",
            event.event,
            json.dumps({key: _short(value) for key, value in event.detail.items()}),
        )
        return Response(status_code=204)

    @app.api_route("/chatkit/health", methods=["GET", "HEAD"], response_model=None)
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": VERSION, "model": choice.names[0]}

    return app


def _page_event(body: bytes) -> PageEvent:
    try:
        return PageEvent.model_validate_json(body)
    except ValueError:
        raise PublicError(422, "A log entry has a level, an event and a detail.") from None


def _short(value: object) -> object:
    return value[:200] if isinstance(value, str) else value


def _deadline(request: Request, settings: Settings) -> float:
    """When an answer has to be over, in seconds since the epoch.

    In Lambda that is `MARGIN` before the function is killed; elsewhere there is
    a limit all the same, so that both places behave alike.
    """
    limit = time.time() + settings.answer_seconds
    function = request.scope.get("extensions", {}).get("aws.lambda")
    if function is not None:
        limit = min(limit, function["deadline_ms"] / 1000 - settings.answer_margin_seconds)
    return limit
