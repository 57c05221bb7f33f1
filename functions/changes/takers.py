"""Who takes the changes of a stage, by its settings."""

from ..aws.bucket import Bucket
from ..settings import Settings
from ..store import DynamoDBStore, Table
from ..store.totals import Totals as Counted
from .changes import Taker
from .publishing import DomainEvents
from .totals import Totals


def takers(settings: Settings) -> list[Taker]:
    """Whoever counts, and with a bus whoever publishes."""
    texts = None
    if settings.report_text:
        texts = DynamoDBStore(settings.table, bucket=Bucket(settings.attachments_bucket))
    found: list[Taker] = [Totals(Counted(Table(settings.table, nobodys=True)), texts)]
    if settings.event_bus:
        found.append(DomainEvents(settings.event_bus, settings.stage))
    return found
