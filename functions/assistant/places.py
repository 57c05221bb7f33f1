"""The time zone of a place, by the cities that the tz database names."""

import unicodedata
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def zone_of(place: str) -> ZoneInfo | None:
    """`Tokyo`, `são paulo`, `New York, USA`, `Europe/Lisbon`, `UTC`; None when unknown."""
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
