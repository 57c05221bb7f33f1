"""What the chat app is made of, built from the settings: nothing here connects or reads."""

from functions.assistant.data import AssistantData
from functions.attachments import S3AttachmentStore
from functions.context import RequestContext
from functions.models.transcription import Transcriber
from functions.settings import Settings
from functions.store import DynamoDBStore, Quota, Records, Runs


class Services:
    """The table, the bucket, and what is kept in them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        table, bucket = settings.table, settings.attachments_bucket
        self.store = DynamoDBStore(
            table, bucket=bucket, retention_days=settings.retention_days, purge=settings.purge
        )
        self.attachments = S3AttachmentStore(
            bucket, max_bytes=settings.attachment_max_bytes, types=settings.attachment_types
        )
        self.runs = Runs(table)
        self.quota = Quota(
            table, per_user=settings.messages_per_minute, per_day=settings.messages_per_day
        )
        self.records = Records(table)
        self.transcriber = Transcriber(settings)

    def assistant_data(self, context: RequestContext) -> AssistantData:
        return AssistantData(self.records, context)
