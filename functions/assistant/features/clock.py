"""A world clock: the time in a place, for the cities in the tz database."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from ...toolkit import Turn, tool


def zone_of(place: str) -> ZoneInfo | None:
    """The zone of `Tokyo`, `são paulo`, `New York, USA`, `Europe/Lisbon` or `UTC`, else None."""
    city = unicodedata.normalize("NFKD", place.partition(",")[0]).encode("ascii", "ignore")
    name = city.decode().strip().lower().replace(" ", "_")
    key = _keys().get(name)
    return ZoneInfo(key) if key else None


@cache
def _keys() -> dict[str, str]:
    keys: dict[str, str] = {}
    for key in sorted(available_timezones()):
        keys[key.lower()] = key
        keys.setdefault(key.rsplit("/", 1)[-1].lower(), key)
    return keys


@dataclass
class Clock:
    place: str
    time_zone: str
    now: datetime


@tool
async def world_clock(turn: Turn, place: str) -> Clock | str:  # noqa: ARG001 - a tool's signature
    """The time and date right now in a place.

    Args:
        place: A city, or a time zone such as Europe/Lisbon.
    """
    zone = zone_of(place)
    if zone is None:
        return f"I know no time zone for {place}. Name a larger city near it."
    return Clock(place, zone.key, datetime.now(zone).replace(microsecond=0))
