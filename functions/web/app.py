"""What both ASGI apps share: every error as JSON with a `message`, CORS, and who may send what.

After a status of 500 or above, ChatKit's element sends a streaming request again, up to five times.
It shows the `message` of a 4xx. So bad input must never cause a 5xx.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import PublicError, first_problem
from ..settings import Settings
from .content_type import ContentTypeCheck
from .error_response import error_response
from .identity.visitor import NEW_TOKEN_HEADER
from .origin import OriginCheck
from .run_id import FAULT, RUN_ID_HEADER, run_id_of, with_run

logger = logging.getLogger(__name__)

RUNNING_HEADER = "x-chatkit-running"
"""`<run id> <epoch milliseconds>`: an answer in this thread is still being written, and ends
by that time. `threads.get_by_id` and `items.list` send the header, and so does a repeated request
whose answer another stream repeats already. The page fetches again until it is missing."""

FEEDBACK_HEADER = "x-chatkit-feedback"
"""`<item id>=<positive or negative>`, separated by spaces: the visitor's feedback on items that
`items.list` lists, since ChatKit's protocol has no place for it. Ids are percent-encoded."""


def running_header(run_id: str, until: float) -> str:
    """The value of `RUNNING_HEADER`. `until` is in Unix seconds."""
    return f"{run_id} {int(until * 1000)}"


class UnexpectedErrorMiddleware:
    """Turns an unexpected exception into a plain 500, and logs it.

    Starlette's own handler raises the exception again, so the server would log its message too.
    After the response has started, the exception is raised, and the server closes the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            if started or scope["type"] != "http":
                raise
            run_id = _run_id(Request(scope))
            logger.exception("unexpected error", extra={"run_id": run_id} if run_id else None)
            message = with_run(FAULT, run_id) if run_id else FAULT
            headers = {RUN_ID_HEADER: run_id} if run_id else None
            response = error_response(500, message, headers)
            await response(scope, receive, send)


def _run_id(request: Request) -> str | None:
    """The id that the page gave to the request, unless it has another form."""
    try:
        return run_id_of(request)
    except PublicError:
        return None


class NoStoreMiddleware:
    """Adds `no-store` to each answer without a `cache-control`: most are for one person."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_marked)


class Cors(CORSMiddleware):
    """Starlette's CORS, with its error responses as JSON like all others."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        message = bytes(response.body).decode()
        return error_response(response.status_code, message, {"vary": "Origin"})


def create(
    settings: Settings,
    on_shutdown: Callable[[], Awaitable[None]],
    *,
    on_startup: Callable[[], Awaitable[None]] | None = None,
    form_paths: Collection[str] = (),
    passed_headers: Collection[str] = (),
) -> FastAPI:
    """An app with the shared error answers, checks of requests and CORS, and no routes.

    `on_startup` is awaited before the first request, `on_shutdown` before the process ends. Bodies
    are JSON; on `form_paths` they may also be forms with files. The request's `passed_headers` are
    in its context.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if on_startup is not None:
            await on_startup()
        yield
        await on_shutdown()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would go to the function's own host
    )
    app.state.settings = settings
    app.state.passed_headers = passed_headers
    _add_handlers_and_middleware(app, settings, form_paths)
    return app


def _add_handlers_and_middleware(
    app: FastAPI, settings: Settings, form_paths: Collection[str]
) -> None:

    @app.exception_handler(PublicError)
    async def _public_error(_: Request, error: PublicError) -> JSONResponse:
        return error_response(error.status, error.message, error.headers, code=error.code)

    @app.exception_handler(HTTPException)
    async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
        return error_response(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(422, first_problem(error.errors(), skip=1))

    # The one that is added last gets a request first.
    app.add_middleware(UnexpectedErrorMiddleware)
    app.add_middleware(NoStoreMiddleware)
    app.add_middleware(ContentTypeCheck, form_paths=form_paths)
    app.add_middleware(OriginCheck, settings=settings)
    if settings.allowed_origins:
        app.add_middleware(
            Cors,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST"],
            # Starlette answers a preflight with the headers that it asks for: x-chatkit-*,
            # x-amz-content-sha256 and those that ChatKit's element adds.
            allow_headers=["*"],
            expose_headers=[
                NEW_TOKEN_HEADER,
                RUNNING_HEADER,
                RUN_ID_HEADER,
                FEEDBACK_HEADER,
                "retry-after",
            ],
            max_age=600,
        )
