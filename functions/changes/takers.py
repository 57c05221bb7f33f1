"""Who takes the changes of a stage, by its settings."""

from ..aws.bucket import Bucket
from ..settings import Settings
from ..store import DynamoDBStore
from .changes import Taker
from .publishing import DomainEvents
from .texts import Texts


def takers(settings: Settings) -> list[Taker]:
    """Whoever counts, and with a bus whoever publishes."""
    found: list[Taker] = []
    if settings.event_bus:
        texts = None
        if settings.event_text:
            bucket = Bucket(settings.attachments_bucket)
            texts = Texts(DynamoDBStore(settings.table, bucket=bucket))
        found.append(DomainEvents(settings.event_bus, settings.stage, texts))
    return found
