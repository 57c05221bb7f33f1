"""Bodies of any size: as text in the row, compressed in the row, or in S3 with a pointer.

DynamoDB's 400 KB limit counts a row and its entry in the local index together,
so a body may use less than half of it. Some 16 KB of text stay readable in the
console; above, zlib makes writes cheaper (a write unit is a kilobyte); above
150 KB compressed, the body goes to S3 first and the row then points to it, so
that a crash between the two leaves at worst an object that nothing points to.
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
    """What a body is compared by: equal bodies have equal versions."""
    return sha256(text).hexdigest()[:32]


class Bodies:
    def __init__(self, bucket: Bucket | None) -> None:
        self.bucket = bucket

    async def pack(self, text: bytes, spill_prefix: str) -> dict[str, Value]:
        """One attribute that holds `text`; a body over the limit is in S3 when this returns."""
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
        # Never the same key twice: an old body's removal must not meet a newer one.
        key = f"{spill_prefix}{version_of(text)}-{secrets.token_hex(4)}"
        await self.bucket.put(key, packed, "application/zlib")
        return {SPILL: {"S": key}}

    async def unpack(self, row: Row) -> bytes:
        """The text that `pack` was given; `LookupError` when it cannot be had any more."""
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
        """Remove objects that no row points to any more. One request, none for `None`.

        Never fails: what was asked for is done by now, and a sweep finds what stays.
        """
        there = [key for key in keys if key is not None]
        if not there or self.bucket is None:
            return
        try:
            await self.bucket.delete(*there)
        except (BotoCoreError, ClientError, OSError) as error:
            reason = type(error).__name__
            logger.warning("a replaced body was left to a sweep", extra={"reason": reason})


def spilled(row: Row) -> str | None:
    """The object that a row's body lies in; `None` when it lies in the row."""
    key: str | None = row.get(SPILL, {}).get("S")
    return key


def _compress(data: bytes) -> bytes:
    return zlib.compress(data)


def _decompress(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        raise LookupError("the body is damaged") from None
