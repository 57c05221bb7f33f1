"""One object that several writers change: it is replaced only if it is still the one that was read.

S3 takes conditions with a write and answers 412 when they do not hold, and 409 when another write
came between: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from . import clients
from .bucket import Bucket

MAX_CHANGES: Final = 10
"""Attempts for one change, for whoever reads again after `ChangedError`."""
_CHUNK: Final = 1024 * 1024
_CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_MISSING: Final = frozenset({"NoSuchKey", "404"})
"""Answers to a write with a condition, when the object is gone."""
_UNCHANGED: Final = frozenset({"NotModified", "304"})


class ChangedError(Exception):
    """Somebody else has changed the object since it was read. Nothing was written."""


class SharedObject:
    """An object at a key. An ETag is as S3 writes it; an empty one stands for no object."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key

    async def read(self) -> tuple[bytes, str] | None:
        """The object's bytes and its ETag; `None` when there is none. One request."""
        return await clients.call(self._read)

    def _read(self) -> tuple[bytes, str] | None:
        for attempt in range(clients.MAX_ATTEMPTS):
            answer = self._get()
            if answer is None:
                return None
            try:
                return answer["Body"].read(), answer["ETag"]
            except BotoCoreError:  # the body broke off; botocore does not retry that
                if attempt == clients.MAX_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def download(self, to: Path, have: str = "") -> str:
        """Write the object into a file, unless it still has the ETag `have`. Returns its ETag.

        The file is replaced at once, so whoever has it open keeps what it was. One request.
        """
        return await clients.call(self._download, to=to, have=have)

    def _download(self, to: Path, have: str) -> str:
        part = to.with_name(f"{to.name}.part")
        for attempt in range(clients.MAX_ATTEMPTS):
            try:
                answer = self._get(**({"IfNoneMatch": have} if have else {}))
            except ClientError as error:
                if error.response["Error"]["Code"] in _UNCHANGED:
                    return have
                raise
            if answer is None:
                return ""
            try:
                with part.open("wb") as file:
                    for chunk in answer["Body"].iter_chunks(_CHUNK):
                        file.write(chunk)
            except BotoCoreError:
                if attempt == clients.MAX_ATTEMPTS - 1:
                    raise
                continue
            part.replace(to)
            etag: str = answer["ETag"]
            return etag
        raise AssertionError("unreachable")

    def _get(self, **conditions: str) -> Any:
        try:
            return self._bucket.client.get_object(
                Bucket=self._bucket.name, Key=self._key, **conditions
            )
        except ClientError as error:
            if self._bucket.is_missing(error, self._key):
                return None
            raise

    async def replace(self, body: bytes | Path, etag: str, content_type: str) -> str:
        """Put the object if it still has this ETag. Returns the new one. One request.

        Raises `ChangedError` when it has another, or is gone.
        """
        return await clients.call(self._replace, body=body, etag=etag, content_type=content_type)

    def _replace(self, body: bytes | Path, etag: str, content_type: str) -> str:
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        put = {"Bucket": self._bucket.name, "Key": self._key, "ContentType": content_type}
        try:
            if isinstance(body, bytes):
                answer = self._bucket.client.put_object(Body=body, **put, **condition)
            else:
                with body.open("rb") as file:
                    answer = self._bucket.client.put_object(Body=file, **put, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED | _MISSING:
                raise ChangedError(self._key) from None
            raise
        new: str = answer["ETag"]
        return new
