"""Who takes the changes of a stage, by its settings."""

from ..settings import Settings
from .changes import Taker
from .publishing import DomainEvents


def takers(settings: Settings) -> list[Taker]:
    """Whoever counts, and with a bus whoever publishes."""
    found: list[Taker] = []
    if settings.event_bus:
        found.append(DomainEvents(settings.event_bus, settings.stage))
    return found
