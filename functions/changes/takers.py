"""Who takes the changes of a stage, by its settings."""

from ..aws.bucket import Bucket
from ..settings import Settings
from ..store import DynamoDBStore, Table
from ..store.totals import Totals as Counted
from .changes import Taker
from .publishing import DomainEvents
from .texts import Texts
from .totals import Totals


def takers(settings: Settings) -> list[Taker]:
    """Whoever counts, and with a bus whoever publishes."""
    store = DynamoDBStore(settings.table, bucket=Bucket(settings.attachments_bucket))
    counted = Counted(Table(settings.table, nobodys=True))
    found: list[Taker] = [Totals(counted, store if settings.report_text else None)]
    if settings.event_bus:
        texts = Texts(store) if settings.event_text else None
        found.append(DomainEvents(settings.event_bus, settings.stage, texts))
    return found
