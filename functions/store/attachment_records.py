"""Attachment records: what ChatKit knows of a file, and which thread it belongs to."""

import time
from typing import Final

from chatkit.store import NotFoundError
from chatkit.types import Attachment, AttachmentBase, ImageAttachment
from pydantic import AnyUrl, TypeAdapter

from functions.attachments import arrival
from functions.attachments.schema import UNSENT_DAYS
from functions.store import keys
from functions.store.links import Links
from functions.store.sound import check_finite, check_id, sound
from functions.store.table import Refused, Row, Table
from functions.store.threads import DAY, Threads, expired

LARGEST: Final = 300_000
"""Bytes of a record as JSON; DynamoDB holds 400 KB."""
UNSENT_SECONDS: Final = (UNSENT_DAYS + 1) * DAY
"""How long the record of an unsent upload lives: S3 rounds the day of its bytes up to midnight."""

_ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


class AttachmentRecords:
    def __init__(self, table: Table, threads: Threads, links: Links) -> None:
        self.table = table
        self.threads = threads
        self.links = links

    def rows(self, attachment: Attachment, user: str) -> list[Row]:
        """The record, and its entry in the thread that carries it; `ValueError` for bad input."""
        if not isinstance(attachment, AttachmentBase):
            raise ValueError(f"not an attachment: {type(attachment).__name__}")  # noqa: TRY004
        with sound(f"attachment {attachment.id!r}"):
            check_id(attachment.id)
            check_finite(attachment.metadata)
            body = self.links.unsign_attachment(attachment, user).model_dump_json()
            if len(body.encode()) > LARGEST:
                raise ValueError(f"it is over {LARGEST} bytes")
            _ATTACHMENT.validate_json(body)
        record: Row = {**keys.attachment_key(user, attachment.id), "body": {"S": body}}
        if attachment.thread_id is None:
            if arrival.is_ours(attachment):  # its bytes go by the bucket's rule
                record["expires"] = {"N": str(int(time.time()) + UNSENT_SECONDS)}
            return [record]
        record["thread"] = {"S": keys.part(attachment.thread_id)}
        return [record, keys.attachment_link_key(user, attachment.thread_id, attachment.id)]

    async def save(self, attachment: Attachment, user: str) -> None:
        rows = self.rows(attachment, user)
        if attachment.thread_id is None:
            await self.table.put(rows[0])
            return
        if self.links.bucket is not None:
            await arrival.check(self.links.bucket, attachment, user)
        not_deleted = {
            "Key": keys.tombstone_key(user, attachment.thread_id),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            await self.table.transact(
                [{"ConditionCheck": not_deleted}, *({"Put": {"Item": row}} for row in rows)]
            )
        except Refused:
            raise NotFoundError(f"Thread {attachment.thread_id} not found") from None
        # The SDK puts this very instance into the message that it then stores and sends.
        attachment.upload_descriptor = None
        if isinstance(attachment, ImageAttachment):
            kept = self.links.unsign_preview(attachment, user)
            attachment.preview_url = AnyUrl(await self.links.sign(kept, user))

    async def load(self, attachment_id: str, user: str) -> Attachment:
        row = await self.table.get(keys.attachment_key(user, attachment_id))
        if row is None or expired(row) or await self._of_expired_thread(row, user):
            raise NotFoundError(f"Attachment {attachment_id} not found")
        attachment = _ATTACHMENT.validate_json(row["body"]["S"])
        return await self.links.sign_attachment(attachment, user)

    async def _of_expired_thread(self, row: Row, user: str) -> bool:
        """Whether its thread is over. Without a retention none is, and nothing is read."""
        if not self.threads.retention_seconds or "thread" not in row:
            return False
        return not await self.threads.part_exists(row["thread"]["S"], user)

    async def delete(self, attachment_id: str, user: str) -> None:
        await self.table.delete(keys.attachment_key(user, attachment_id))
