"""What the chat app is made of, built from the settings: nothing here connects or reads."""

from .attachments import S3AttachmentStore
from .context import RequestContext
from .settings import Settings
from .store import DynamoDBStore, Quota, Records, Runs
from .toolkit.documents import AssistantData
from .voice.transcription import Transcriber


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
