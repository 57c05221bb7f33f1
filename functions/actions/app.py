"""The second function's ASGI app: widget actions, voice, and stopping a run.

The same app runs in Lambda under Mangum and on a laptop under uvicorn. It answers
whole, never in pieces, and holds no agent: what makes the assistant answer is sent
on to `/chatkit`.
"""

from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, StringConstraints, ValidationError

from .. import VERSION, telemetry
from ..aws.bucket import Bucket
from ..errors import PublicError
from ..llm import choose
from ..settings import Settings, get_settings
from ..store import DynamoDBStore, Quota, Runs
from ..voice.dictation import Dictation
from ..voice.transcription import Transcriber
from ..web import app as web_app
from ..web.app import read_body
from ..web.chatkit_request import parse
from ..web.identity import Visitor, identity_of, request_context
from .operations import Operations
from .voice_notes import VoiceNotes

SMALL_BODY = 4 * 1024
FORM = 16 * 1024
"""What a form adds to the file in it, at most."""

M = TypeVar("M", bound=BaseModel)


class Cancel(BaseModel):
    run_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Upload(BaseModel):
    mime_type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    size: int


class Uploaded(BaseModel):
    key: Annotated[str, StringConstraints(min_length=1, max_length=300)]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app for `settings`, or for those of the environment. Raises `ValueError` in words
    when they do not make sense; opens no connection and reads no secret.
    """
    settings = settings or get_settings()
    telemetry.configure()
    identity = identity_of(settings)
    store = DynamoDBStore(
        settings.table, bucket=settings.attachments_bucket, retention_days=settings.retention_days
    )
    runs = Runs(settings.table)
    transcriber = Transcriber(settings)
    quota = Quota(
        settings.table, per_user=settings.messages_per_minute, per_day=settings.messages_per_day
    )
    dictation = Dictation(transcriber, quota)
    operations = Operations(store, dictation)
    voice = VoiceNotes(
        Bucket(settings.attachments_bucket), dictation, settings.transcription_max_bytes
    )

    app = web_app.create(settings, on_shutdown=transcriber.aclose)

    async def visitor_of(request: Request) -> Visitor:
        return await identity.identify(request)

    Asking = Annotated[Visitor, Depends(visitor_of)]  # noqa: N806 - a type

    @app.post("/actions")
    async def actions(request: Request, visitor: Asking) -> Response:
        operation = parse(await read_body(request, settings.max_body_bytes))
        context = request_context(request, visitor)
        context.metadata = operation.metadata
        response = await operations.run(operation, context)
        visitor.introduce(request, response)
        return response

    @app.post("/actions/cancel")
    async def cancel(request: Request, visitor: Asking) -> dict[str, bool]:
        asked = await _read(request, Cancel)
        await runs.cancel(asked.run_id, request_context(request, visitor))
        return {"cancelled": True}

    @app.post("/actions/transcribe")
    async def transcribe(request: Request, visitor: Asking) -> dict[str, str]:
        context = request_context(request, visitor)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            body = await read_body(request, settings.max_body_bytes + FORM)
            return {"text": await voice.sent(request.headers, body, context)}
        asked = await _read(request, Uploaded)
        return {"text": await voice.uploaded(asked.key, context)}

    @app.post("/actions/uploads")
    async def uploads(request: Request, visitor: Asking) -> dict[str, object]:
        asked = await _read(request, Upload)
        return voice.upload(asked.mime_type, asked.size, request_context(request, visitor))

    @app.api_route("/actions/health", methods=["GET", "HEAD"])
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": VERSION, "model": choose(settings).names[0]}

    return app


async def _read(request: Request, model: type[M]) -> M:
    body = await read_body(request, SMALL_BODY)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise PublicError(422, f"{place}: {first['msg']}") from None
