"""What both ASGI apps share: every error as JSON with a `message`, and CORS.

ChatKit's element sends a streaming request again, up to five times, when the answer is 500 or
above. It shows the `message` of a 4xx. So bad input must never become a 5xx.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import PublicError, first_problem
from ..settings import Settings
from .identity.visitor import NEW_TOKEN_HEADER

logger = logging.getLogger(__name__)

RUNNING_HEADER = "x-chatkit-running"
"""`<run id> <epoch milliseconds>`: an answer of this thread is still being written, at most
until then. On `threads.get_by_id` and `items.list`; the page fetches again until it is gone."""


def refuse(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"message": message}, status, headers)


class Shield:
    """Answers a plain 500 for every unexpected exception, which only the log describes.

    Starlette's own handler raises the exception again, and the server then logs its words. Once
    an answer has begun, its status is out: then the exception goes on and the server cuts the
    answer off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            logger.exception("unexpected error")
            answer = refuse(500, "Something went wrong here. Please try again.")
            await answer(scope, receive, send)


class Cors(CORSMiddleware):
    """Starlette's CORS, with refusals as JSON like all others."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code == HTTPStatus.OK:
            return answer
        return refuse(answer.status_code, bytes(answer.body).decode(), {"vary": "Origin"})


def create(settings: Settings, on_shutdown: Callable[[], Awaitable[None]]) -> FastAPI:
    """An app with the shared error answers and CORS, and no routes.

    `on_shutdown` is awaited before the process ends.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await on_shutdown()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the redirect would name the function's own host
    )
    _install(app, settings)
    return app


def _install(app: FastAPI, settings: Settings) -> None:

    @app.exception_handler(PublicError)
    async def _refusal(_: Request, error: PublicError) -> JSONResponse:
        return refuse(error.status, error.message, error.headers)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return refuse(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return refuse(422, first_problem(error.errors(), skip=1))

    app.add_middleware(Shield)
    if settings.allowed_origins:
        app.add_middleware(
            Cors,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST"],
            # Starlette answers a preflight with the very headers that it names:
            # x-chatkit-*, x-amz-content-sha256 and what ChatKit's element adds.
            allow_headers=["*"],
            expose_headers=[NEW_TOKEN_HEADER, RUNNING_HEADER, "retry-after"],
            max_age=600,
        )
