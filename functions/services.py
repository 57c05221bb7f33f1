"""What both apps are made of, built from the settings: nothing here connects or reads."""

from functions.assistant.data import AssistantData
from functions.attachments import S3AttachmentStore
from functions.attachments.content import ContentReader
from functions.attachments.images import GeneratedImages
from functions.aws import client
from functions.context import RequestContext
from functions.settings import Settings
from functions.store import DynamoDBStore
from functions.store.quota import Quota
from functions.store.records import Records
from functions.store.runs import Runs


class Services:
    """The table, the bucket, and what is kept in them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        table, bucket = settings.table, settings.attachments_bucket
        dynamodb, s3 = client("dynamodb", settings), client("s3", settings)
        self.attachments = S3AttachmentStore(bucket, client=s3, settings=settings)
        self.store = DynamoDBStore(table, client=dynamodb, bucket=bucket, s3_client=s3)
        self.runs = Runs(table, client=dynamodb)
        self.quota = Quota(table, client=dynamodb)
        self.records = Records(table, client=dynamodb)
        self.content = ContentReader(bucket, client=s3)

    def assistant_data(self, context: RequestContext) -> AssistantData:
        return AssistantData(self.records, context)

    def images(self, context: RequestContext) -> GeneratedImages:
        return GeneratedImages(self.attachments, context)
