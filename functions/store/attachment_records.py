"""Attachment records: what ChatKit knows of a file, and which thread it belongs to."""

from chatkit.store import NotFoundError
from chatkit.types import Attachment, ImageAttachment
from pydantic import AnyUrl, TypeAdapter

from functions.attachments import arrival
from functions.store import keys
from functions.store.links import Links
from functions.store.table import Refused, Row, Table
from functions.store.threads import Threads, expired

_ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


class AttachmentRecords:
    def __init__(self, table: Table, threads: Threads, links: Links) -> None:
        self.table = table
        self.threads = threads
        self.links = links

    def rows(self, attachment: Attachment, user: str) -> list[Row]:
        """The record, and its entry in the thread that carries it."""
        stored = self.links.unsign_attachment(attachment, user)
        record: Row = {
            **keys.attachment_key(user, attachment.id),
            "body": {"S": stored.model_dump_json()},
            **self.threads.expiry(),
        }
        if attachment.thread_id is None:
            return [record]
        record["thread"] = {"S": keys.part(attachment.thread_id)}
        link = keys.attachment_link_key(user, attachment.thread_id, attachment.id)
        return [record, {**link, **self.threads.expiry()}]

    async def save(self, attachment: Attachment, user: str) -> None:
        if attachment.thread_id is None:
            await self.table.put(self.rows(attachment, user)[0])
            return
        if self.links.bucket is not None:
            await arrival.check(self.links.bucket, attachment, user)
        rows = self.rows(attachment, user)
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
        if row is None or expired(row):
            raise NotFoundError(f"Attachment {attachment_id} not found")
        attachment = _ATTACHMENT.validate_json(row["body"]["S"])
        return await self.links.sign_attachment(attachment, user)

    async def delete(self, attachment_id: str, user: str) -> None:
        await self.table.delete(keys.attachment_key(user, attachment_id))
