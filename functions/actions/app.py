"""The second function's ASGI app: widget actions, voice, and stopping a run.

The same app runs in Lambda under Mangum and on a laptop under uvicorn. It streams nothing and runs
no agent: an action that makes the assistant answer is redirected to `/chatkit`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, StringConstraints

from .. import VERSION, telemetry
from ..services import CountedVisitorDep, Services, ServicesDep, VisitorDep, introduce_caller
from ..settings import Settings, get_settings
from ..web import app as web_app
from ..web.body import read_body, read_json
from ..web.chatkit_request import parse
from ..web.identity import request_context
from ..web.run_id import RunId
from .operations import run_operation
from .voice_notes import VoiceNotes

MAX_SMALL_BODY = 4 * 1024
MAX_FORM_OVERHEAD = 16 * 1024
"""Bytes that a form may add to the file in it."""

TRANSCRIBE = "/actions/transcribe"
"""Takes a recording as a form, too."""

OWN_ROUTES = "/actions/x"
"""Where the assistant's own routes are."""

router = APIRouter()


@router.post("/actions", response_model=None)
async def actions(request: Request, visitor: CountedVisitorDep, services: ServicesDep) -> Response:
    operation = parse(await read_body(request, services.settings.max_body_bytes))
    context = request_context(request, visitor, operation.metadata)
    response = await run_operation(operation, context, services)
    visitor.send_token(request, response)
    return response


class Cancel(BaseModel):
    run_id: RunId


@router.post("/actions/cancel", response_model=None)
async def cancel(
    request: Request, visitor: CountedVisitorDep, services: ServicesDep
) -> dict[str, bool]:
    body = await read_json(request, Cancel, MAX_SMALL_BODY)
    await services.runs.cancel(body.run_id, request_context(request, visitor))
    return {"cancelled": True}


class Uploaded(BaseModel):
    key: Annotated[str, StringConstraints(min_length=1, max_length=300)]


@router.post(TRANSCRIBE, response_model=None)
async def transcribe(
    request: Request, visitor: VisitorDep, services: ServicesDep
) -> dict[str, str]:
    context, notes = request_context(request, visitor), VoiceNotes(services)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await read_body(request, services.settings.max_body_bytes + MAX_FORM_OVERHEAD)
        return {"text": await notes.transcribe_form(request.headers, form, context)}
    body = await read_json(request, Uploaded, MAX_SMALL_BODY)
    return {"text": await notes.transcribe_upload(body.key, context)}


class Upload(BaseModel):
    mime_type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    size: int


@router.post("/actions/uploads", response_model=None)
async def uploads(
    request: Request, visitor: CountedVisitorDep, services: ServicesDep
) -> dict[str, object]:
    body = await read_json(request, Upload, MAX_SMALL_BODY)
    context = request_context(request, visitor)
    return await VoiceNotes(services).upload(body.mime_type, body.size, context)


@router.api_route("/actions/health", methods=["GET", "HEAD"], response_model=None)
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
    app = web_app.create(
        services.settings,
        on_shutdown=services.transcriber.aclose,
        form_paths=[TRANSCRIBE],
        passed_headers=assistant.headers,
    )
    app.state.services = services
    app.include_router(router)
    if assistant.action_routes is not None:
        app.include_router(
            assistant.action_routes, prefix=OWN_ROUTES, dependencies=[Depends(introduce_caller)]
        )
    return app
