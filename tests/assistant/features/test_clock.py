"""The world clock."""

import json

import pytest


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("são paulo", "America/Sao_Paulo"),
        ("New York, USA", "America/New_York"),
        ("UTC", "UTC"),
    ],
)
async def test_it_knows_the_cities_of_the_time_zones(use, place, zone):
    result = (await use("world_clock", place=place)).call.result
    assert json.loads(result)["time_zone"] == zone


async def test_it_says_when_it_does_not_know_a_place(use):
    assert "no time zone" in (await use("world_clock", place="Atlantis")).call.result
