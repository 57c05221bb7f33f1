"""The world clock."""

import pytest

from functions.assistant.features.clock import world_clock


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("são paulo", "America/Sao_Paulo"),
        ("New York, USA", "America/New_York"),
        ("UTC", "UTC"),
    ],
)
async def test_it_knows_the_cities_of_the_time_zones(turn, place, zone):
    assert (await world_clock.function(turn, place)).time_zone == zone


async def test_it_says_when_it_does_not_know_a_place(turn):
    assert "no time zone" in await world_clock.function(turn, "Atlantis")
