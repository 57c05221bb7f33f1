"""Attachment records: what ChatKit knows of a file, and which thread it belongs to."""

import logging
import time
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import Attachment, AttachmentBase, ImageAttachment
from pydantic import AnyUrl, TypeAdapter, ValidationError

from ..attachments import arrival
from ..attachments.schema import UNSENT_DAYS
from ..aws.keys import part
from . import keys
from .links import Links
from .table import ConditionFailed, Row, Table
from .threads import (
    ALIVE,
    DAY,
    EXISTS,
    Threads,
    expired,
    now_value,
)
from .validation import check_finite, check_id, input_errors

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 300_000
"""Bytes of a record as JSON; DynamoDB holds 400 KB."""
UNSENT_SECONDS: Final = (UNSENT_DAYS + 1) * DAY
"""How long the record of an unsent upload lives: S3 rounds the day of its bytes up to midnight."""

ELSEWHERE: Final = "A file of this message is in another thread"
"""A file goes when its thread does, so it is of one."""

_ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


def read(row: Row) -> Attachment | None:
    """The attachment in a record; `None`, with a warning, for one that cannot be read here."""
    try:
        return _ATTACHMENT.validate_json(row["body"]["S"])
    except ValidationError as error:
        logger.warning(
            "attachment skipped: this version cannot read it",
            extra={
                "attachment": row["sk"]["S"].removeprefix(keys.ATTACHMENT),
                "errors": error.error_count(),
            },
        )
        return None


class AttachmentRecords:
    def __init__(self, table: Table, threads: Threads, links: Links) -> None:
        self.table = table
        self.threads = threads
        self.links = links

    def rows(self, attachment: Attachment, user: str) -> list[Row]:
        """The record, and its entry in the thread that carries it; `ValueError` for bad input."""
        if not isinstance(attachment, AttachmentBase):
            raise ValueError(f"not an attachment: {type(attachment).__name__}")  # noqa: TRY004
        with input_errors(f"attachment {attachment.id!r}"):
            check_id(attachment.id)
            check_finite(attachment.metadata)
            body = self.links.unsign_attachment(attachment, user).model_dump_json()
            if len(body.encode()) > MAX_BYTES:
                raise ValueError(f"it is over {MAX_BYTES} bytes")
            _ATTACHMENT.validate_json(body)
        record: Row = {**keys.attachment_key(user, attachment.id), "body": {"S": body}}
        if attachment.thread_id is None:
            if arrival.is_ours(attachment):  # its bytes go by the bucket's rule
                record["expires"] = {"N": str(int(time.time()) + UNSENT_SECONDS)}
            return [record]
        record["thread"] = {"S": part(attachment.thread_id)}
        return [record, keys.attachment_link_key(user, attachment.thread_id, attachment.id)]

    def puts(self, attachment: Attachment, user: str) -> list[dict[str, Any]]:
        """The actions that write the record of a file that a message carries: of one thread, for
        it goes when that does.
        """
        record, *link = self.rows(attachment, user)
        mine: dict[str, Any] = {"Item": record}
        if link:
            mine |= {
                "ConditionExpression": "attribute_not_exists(#thread) OR #thread = :thread",
                "ExpressionAttributeNames": {"#thread": "thread"},
                "ExpressionAttributeValues": {":thread": record["thread"]},
            }
        return [{"Put": mine}, *({"Put": {"Item": row}} for row in link)]

    async def save(self, attachment: Attachment, user: str) -> None:
        puts = self.puts(attachment, user)
        if attachment.thread_id is None:
            await self.table.put(puts[0]["Put"]["Item"])
            return
        if self.links.bucket is not None:
            await arrival.check(self.links.bucket, attachment, user)
        not_deleted = {
            "Key": keys.tombstone_key(user, attachment.thread_id),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        not_expired = {
            "Key": keys.thread_key(user, attachment.thread_id),
            # With a retention, one that is not there may have gone by TTL, without a tombstone.
            "ConditionExpression": EXISTS if self.threads.retention_seconds else ALIVE,
            "ExpressionAttributeValues": {":now": now_value()},
        }
        checks = [{"ConditionCheck": check} for check in (not_deleted, not_expired)]
        try:
            await self.table.transact([*checks, *puts])
        except ConditionFailed as refused:
            if refused.failed and min(refused.failed) >= len(checks):
                raise NotFoundError(ELSEWHERE) from None
            raise NotFoundError(f"Thread {attachment.thread_id} not found") from None
        await self.settle(attachment, user)

    async def settle(self, attachment: Attachment, user: str) -> None:
        """Make an attachment that a message carries now what it is when it is loaded.

        The SDK puts this very instance into the message that it then stores and sends.
        """
        attachment.upload_descriptor = None
        if isinstance(attachment, ImageAttachment):
            kept = self.links.unsign_preview(attachment, user)
            attachment.preview_url = AnyUrl(await self.links.sign(kept, user))

    async def load(self, attachment_id: str, user: str) -> Attachment:
        row = await self.table.get(keys.attachment_key(user, attachment_id))
        if row is None or expired(row) or await self._thread_is_over(row, user):
            raise NotFoundError(f"Attachment {attachment_id} not found")
        attachment = read(row)
        if attachment is None:
            raise NotFoundError(f"Attachment {attachment_id} cannot be read")
        return await self.links.sign_attachment(attachment, user)

    async def _thread_is_over(self, row: Row, user: str) -> bool:
        """Whether the thread that it names, if any, was deleted or has expired.

        One that never was is not over: a file may be saved before its thread is.
        """
        if "thread" not in row:
            return False
        part, partition = row["thread"]["S"], keys.user_partition(user)
        # Not the tombstone: a purge that nothing ever finished outlives it.
        thread, gone = await self.table.get_many(
            [keys.key(partition, keys.THREAD + part), keys.key(partition, keys.GONE + part)]
        )
        if thread is None:  # TTL leaves nothing to see
            return gone is not None or bool(self.threads.retention_seconds)
        return expired(thread)

    async def delete(self, attachment_id: str, user: str) -> None:
        await self.table.delete(keys.attachment_key(user, attachment_id))
