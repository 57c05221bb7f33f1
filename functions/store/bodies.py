"""Bodies of any size: as text in the row, compressed in the row, or in S3 with a pointer.

DynamoDB's limit of 400 KB counts a row and its entry in the local index together, so a body may
use less than half of it. Up to 16 KB are stored as text, which can be read in the console. Larger
ones are compressed with zlib, because each kilobyte costs a write unit. Over 150 KB compressed, the
body is written to S3 first, and then the row that points to it: a crash between the two leaves an
object that no row points to, and nothing worse.
"""

import logging
import secrets
import zlib
from hashlib import sha256
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from .. import aws
from ..aws.bucket import Bucket
from .keys import Value
from .table import Row

logger = logging.getLogger(__name__)

PLAIN_BYTES: Final = 16 * 1024
ROW_BYTES: Final = 150 * 1024

BODY: Final = "body"
PACKED: Final = "packed"
SPILL: Final = "spill"
PLACES: Final = (BODY, PACKED, SPILL)


class TooLargeError(ValueError):
    """The value does not fit into the table, and the store was given no bucket."""


class NoBucketError(LookupError):
    """The body lies in S3, and this store was given no bucket to read it from."""


def version_of(text: bytes) -> str:
    """A hash of a body: two bodies are equal when their versions are."""
    return sha256(text).hexdigest()[:32]


class Bodies:
    def __init__(self, bucket: Bucket | None) -> None:
        self.bucket = bucket

    async def pack(self, text: bytes, spill_prefix: str) -> dict[str, Value]:
        """The attribute that holds `text`. A body over the limit is written to S3 first.

        Raises `TooLargeError` when it would have to be and there is no bucket.
        """
        if len(text) <= PLAIN_BYTES:
            return {BODY: {"S": text.decode()}}
        packed = await aws.call(_compress, data=text)
        if len(packed) <= ROW_BYTES:
            return {PACKED: {"B": packed}}
        if self.bucket is None:
            raise TooLargeError(
                f"{len(text)} bytes ({len(packed)} compressed) do not fit into the table: "
                "give the store a bucket"
            )
        # Each key is used once, so that removing an old body can never remove a newer one.
        key = f"{spill_prefix}{version_of(text)}-{secrets.token_hex(4)}"
        await self.bucket.put(key, packed, "application/zlib")
        return {SPILL: {"S": key}}

    async def unpack(self, row: Row) -> bytes:
        """The text of a row that `pack` made an attribute for.

        Raises `NoBucketError` when it is in S3 and there is no bucket, and `LookupError` when the
        object is missing or damaged.
        """
        if BODY in row:
            text: str = row[BODY]["S"]
            return text.encode()
        if PACKED in row:
            return await aws.call(_decompress, data=row[PACKED]["B"])
        if self.bucket is None:
            raise NoBucketError(f"the body of {row['sk']['S']} is in S3: give the store a bucket")
        data = await self.bucket.get(row[SPILL]["S"])
        if data is None:
            raise LookupError(f"the body of {row['sk']['S']} is missing from the bucket")
        return await aws.call(_decompress, data=data)

    async def discard(self, *keys: str | None) -> None:
        """Remove objects that no row points to any more. One request, none when all are `None`.

        Never raises: the caller's write has succeeded, and a sweep removes what is left.
        """
        existing = [key for key in keys if key is not None]
        if not existing or self.bucket is None:
            return
        try:
            await self.bucket.delete(*existing)
        except (BotoCoreError, ClientError, OSError) as error:
            reason = type(error).__name__
            logger.warning(
                "a replaced body was not removed; a sweep removes it", extra={"reason": reason}
            )


def spilled(row: Row) -> str | None:
    """The key of the object that holds a row's body; `None` when the row holds it."""
    key: str | None = row.get(SPILL, {}).get("S")
    return key


def _compress(data: bytes) -> bytes:
    return zlib.compress(data)


def _decompress(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        raise LookupError("the body is damaged") from None
