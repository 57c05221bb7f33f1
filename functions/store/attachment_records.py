"""Attachment records: the SDK's `Attachment` of a file, and the thread that it belongs to."""

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
from .expiry import ALIVE, DAY, EXISTS, expired, now_value
from .links import Links
from .table import ConditionFailed, Row, Table
from .threads import Threads
from .validation import check_finite, check_id, input_errors

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 300_000
"""Bytes of a record as JSON. A DynamoDB row holds 400 KB."""
UNSENT_SECONDS: Final = (UNSENT_DAYS + 1) * DAY
"""How long the record of an unsent upload is kept. One day more than its bytes, because S3 rounds
their expiry up to midnight."""

ELSEWHERE: Final = "A file of this message is in another thread"
"""A file belongs to one thread, because it is removed with its thread."""

ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


def read(row: Row) -> Attachment | None:
    """The attachment in a row; `None`, with a warning in the log, when it cannot be read."""
    try:
        return ATTACHMENT.validate_json(row["body"]["S"])
    except ValidationError as error:
        logger.warning(
            "an attachment was skipped: this version cannot read it",
            extra={
                "attachment": row["sk"]["S"].removeprefix(keys.ATTACHMENT),
                "errors": error.error_count(),
            },
        )
        return None


def dump(attachment: Attachment, links: Links, user: str) -> str:
    """An attachment as it is stored, as JSON. Raises `ValueError` for invalid input."""
    if not isinstance(attachment, AttachmentBase):
        raise ValueError(f"not an attachment: {type(attachment).__name__}")  # noqa: TRY004
    with input_errors(f"attachment {attachment.id!r}"):
        check_id(attachment.id)
        check_finite(attachment.metadata)
        body = links.unsign_attachment(attachment, user).model_dump_json()
        if len(body.encode()) > MAX_BYTES:
            raise ValueError(f"it is over {MAX_BYTES} bytes")
        ATTACHMENT.validate_json(body)
    return body


def _described(attachment: Attachment) -> Row:
    """What a file is, without its name: a person may have written that."""
    size = arrival.announced_size(attachment)
    return {
        "type": {"S": attachment.mime_type},
        **({} if size is None else {"size": {"N": str(size)}}),
    }


class AttachmentRecords:
    def __init__(self, table: Table, threads: Threads, links: Links) -> None:
        self.table = table
        self.threads = threads
        self.links = links

    def rows(self, attachment: Attachment, user: str) -> list[Row]:
        """The record, and for a sent file also its link row in the thread.

        Raises `ValueError` for invalid input.
        """
        body = dump(attachment, self.links, user)
        record: Row = {**keys.attachment_key(user, attachment.id), "body": {"S": body}}
        if attachment.thread_id is None:
            if arrival.is_ours(attachment):  # the bucket's lifecycle rule removes its bytes
                record["expires"] = {"N": str(int(time.time()) + UNSENT_SECONDS)}
            return [record]
        record["thread"] = {"S": part(attachment.thread_id)}
        link = keys.attachment_link_key(user, attachment.thread_id, attachment.id)
        return [record, {**link, **_described(attachment)}]

    def puts(self, attachment: Attachment, user: str) -> list[dict[str, Any]]:
        """The actions that write a record and its link row, for a transaction.

        They fail when the file belongs to another thread.
        """
        record, *link = self.rows(attachment, user)
        put: dict[str, Any] = {"Item": record}
        if link:
            put |= {
                "ConditionExpression": "attribute_not_exists(#thread) OR #thread = :thread",
                "ExpressionAttributeNames": {"#thread": "thread"},
                "ExpressionAttributeValues": {":thread": record["thread"]},
            }
        return [{"Put": put}, *({"Put": {"Item": row}} for row in link)]

    async def save(self, attachment: Attachment, user: str) -> None:
        puts = self.puts(attachment, user)
        if attachment.thread_id is None:
            await self.table.put(puts[0]["Put"]["Item"])
            return
        if self.links.bucket is not None:
            await arrival.check(self.links.bucket, attachment, user)
            puts = self.puts(attachment, user)  # with the type that the bytes show
        not_deleted = {
            "Key": keys.tombstone_key(user, attachment.thread_id),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        not_expired = {
            "Key": keys.thread_key(user, attachment.thread_id),
            # With a retention, TTL may have removed the thread, which leaves no tombstone.
            "ConditionExpression": EXISTS if self.threads.retention_seconds else ALIVE,
            "ExpressionAttributeValues": {":now": now_value()},
        }
        checks = [{"ConditionCheck": check} for check in (not_deleted, not_expired)]
        try:
            await self.table.transact([*checks, *puts])
        except ConditionFailed as failure:
            if failure.failed and min(failure.failed) >= len(checks):
                raise NotFoundError(ELSEWHERE) from None
            raise NotFoundError(f"Thread {attachment.thread_id} not found") from None
        await self.settle(attachment, user)

    async def settle(self, attachment: Attachment, user: str) -> None:
        """Change a sent attachment in place to what `load` returns: no upload link, a new preview.

        The SDK puts this instance into the message that it stores and sends to the page.
        """
        attachment.upload_descriptor = None
        if isinstance(attachment, ImageAttachment):
            kept = self.links.unsign_preview(attachment, user)
            attachment.preview_url = AnyUrl(await self.links.sign(kept, user))

    async def load(self, attachment_id: str, user: str) -> Attachment:
        row = await self.table.get(keys.attachment_key(user, attachment_id))
        if row is None or expired(row) or await self._thread_is_gone(row, user):
            raise NotFoundError(f"Attachment {attachment_id} not found")
        attachment = read(row)
        if attachment is None:
            raise NotFoundError(f"Attachment {attachment_id} cannot be read")
        return await self.links.sign_attachment(attachment, user)

    async def _thread_is_gone(self, row: Row, user: str) -> bool:
        """Whether the thread that a record names was deleted or has expired.

        False for a thread that was never saved, because a file may be saved before its thread.
        """
        if "thread" not in row:
            return False
        part, partition = row["thread"]["S"], keys.user_partition(user)
        # The tombstone does not tell: it may expire before an interrupted purge is finished.
        thread, gone = await self.table.get_many(
            [keys.key(partition, keys.THREAD + part), keys.key(partition, keys.GONE + part)]
        )
        if thread is None:  # with a retention, TTL may have removed it and leaves no trace
            return gone is not None or bool(self.threads.retention_seconds)
        return expired(thread)

    async def delete(self, attachment_id: str, user: str) -> None:
        await self.table.delete(keys.attachment_key(user, attachment_id))
