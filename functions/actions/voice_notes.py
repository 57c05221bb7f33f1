"""Voice notes: sent in a form, or uploaded to S3 when they are too long for a Lambda request."""

from collections.abc import AsyncGenerator
from secrets import token_hex

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from .. import aws
from ..attachments.schema import voice_prefix
from ..aws.bucket import UPLOAD_SECONDS
from ..aws.keys import owner
from ..context import RequestContext
from ..errors import PublicError
from ..limits import Use
from ..services import Services
from ..voice.audio import MIN_BYTES, claimed_container


class VoiceNotes:
    """Transcribes recordings from forms and from uploads."""

    def __init__(self, services: Services) -> None:
        self._bucket = services.bucket
        self._dictation = services.dictation
        self._limits = services.limits
        self._limit = services.settings.transcription_max_bytes

    async def transcribe_form(self, headers: Headers, body: bytes, context: RequestContext) -> str:
        """The text of the recording in the multipart field `file`. Raises `PublicError`."""
        file = await _file(headers, body)
        try:
            return await self._dictation.transcribe(await file.read(), file.content_type, context)
        finally:
            await file.close()

    async def upload(self, mime_type: str, size: int, context: RequestContext) -> dict[str, object]:
        """A signed request to `PUT` a recording of exactly `size` bytes once, and its key.

        Raises `PublicError`.
        """
        self._check_upload(mime_type, size)
        await self._limits.spend(context, Use(upload_bytes=size))
        plain = mime_type.partition(";")[0].strip().lower()
        key = f"{_folder(context)}{token_hex(16)}"
        signed = await aws.call(self._bucket.sign_put, key=key, content_type=plain, size=size)
        return {
            "key": key,
            "method": "PUT",
            "url": signed.url,
            "headers": signed.headers,
            "expires_in": UPLOAD_SECONDS,
        }

    async def transcribe_upload(self, key: str, context: RequestContext) -> str:
        """The text of an uploaded recording, which is then removed. Raises `PublicError`.

        Only the user who requested the upload may use its key. When the provider fails, the
        recording stays, so that the request can be repeated.
        """
        self._dictation.check_available()
        # Counted first: who is over a limit must not make us read 25 MB each time.
        async with self._dictation.counted(context):
            head = await self._bucket.head(key) if key.startswith(_folder(context)) else None
            if head is None:
                raise PublicError(404, "There is no such recording.")
            if head.size > self._limit:
                await self._bucket.delete(key)
                raise PublicError(413, f"The recording is larger than {self._limit // 2**20} MB.")
            data = await self._bucket.get(key)
            if data is None:
                raise PublicError(404, "There is no such recording.")
            text = await self._dictation.words_in(data, head.content_type, context)
        await self._bucket.delete(key)
        return text

    def _check_upload(self, mime_type: str, size: int) -> None:
        self._dictation.check_available()
        if claimed_container(mime_type) is None:
            raise PublicError(415, "Say what the recording is, such as audio/webm.")
        if size < MIN_BYTES:
            raise PublicError(422, "The recording is too short.")
        if size > self._limit:
            raise PublicError(413, f"The recording is larger than {self._limit // 2**20} MB.")


def _folder(context: RequestContext) -> str:
    """The prefix of this user's recordings. S3 removes them after a day."""
    return voice_prefix(owner(context))


async def _file(headers: Headers, body: bytes) -> UploadFile:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(headers, chunks(), max_files=1, max_fields=8).parse()
    except (MultiPartException, KeyError):
        raise PublicError(400, "The body is not a multipart form.") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        await form.close()
        raise PublicError(422, "Send the recording as the field `file`.")
    return file
