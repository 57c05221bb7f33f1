"""The page, chat and actions on one origin, as behind CloudFront in AWS."""

import asyncio
import multiprocessing
import os
import signal
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.actions.app import create_app as create_actions
from functions.changes.changes import Changes
from functions.changes.takers import takers
from functions.chat.answer import stop_all
from functions.chat.app import create_app as create_chat
from functions.events.events import Events
from functions.services import Services
from functions.settings import ROOT, get_settings
from functions.telemetry import show_tracebacks
from infra.local.document_reader import DocumentReader
from infra.local.events import events_delivered
from infra.local.hosts import OwnHosts
from infra.local.links import LinksThroughApp
from infra.local.log_file import RequestIds, log_to_file
from infra.local.page import file_at
from infra.stack.page_config import page_config

DIST = ROOT / "frontend" / "dist"


class Origin:
    """Sends `/chatkit*` and `/actions*` to the functions, everything else to the page."""

    def __init__(self, services: Services, page: ASGIApp) -> None:
        self._services = services
        self._chat = create_chat(services=services)
        self._actions = create_actions(services=services)
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith("/chatkit"):
            await self._chat(scope, receive, send)
        elif scope["path"].startswith("/actions"):
            await self._actions(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        _end_answers_first()
        async with AsyncExitStack() as stack:
            for app in (self._chat, self._actions):
                await stack.enter_async_context(app.router.lifespan_context(app))
            services = self._services
            events = Events(services.store, services.bucket)
            await stack.enter_async_context(
                events_delivered(
                    events.handle,
                    DocumentReader(services.settings) if services.settings.knowledge else None,
                    Changes(takers(services.settings)).handle,
                    table=services.store.table.name,
                    bucket=services.bucket.name,
                )
            )
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _end_answers_first() -> None:
    """On SIGINT and SIGTERM, end the running answers at once.

    uvicorn waits for open streams before it shuts the apps down, and cuts them in the end.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # a server in a test's thread does not get signals
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)

        def end(number: int, frame: FrameType | None, before: object = before) -> None:
            loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(stop_all())))
            if callable(before):
                before(number, frame)

        signal.signal(number, end)


def create_page(dist: Path = DIST) -> Starlette:
    """The built page, with its configuration."""
    app = Starlette()

    async def config(_: Request) -> Response:
        return JSONResponse(page_config(get_settings()), headers={"cache-control": "no-cache"})

    async def page(request: Request) -> Response:
        file = file_at(dist, request.url.path)
        if file is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        return FileResponse(file, headers={"cache-control": "no-cache"})

    app.add_route("/config.json", config, methods=["GET"])
    app.add_route("/{path:path}", page, methods=["GET"])
    return app


def create_app() -> ASGIApp:
    settings = get_settings()
    origin = Origin(Services.of(settings), create_page())
    if settings.aws_endpoint_url is None:
        return origin
    return LinksThroughApp(
        origin, settings.attachments_bucket, settings.aws_endpoint_url, settings.allowed_origins
    )


def create_dev_app() -> ASGIApp:
    """The app that uvicorn runs. uvicorn makes it again when code under `functions/` is saved."""
    app = RequestIds(OwnHosts(create_app(), get_settings().allowed_origins))
    show_tracebacks()
    log_to_file()
    _end_with_make_dev()
    return app


def _end_with_make_dev() -> None:
    """End this process when `make dev` was killed: it would keep the port, without a table."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
