"""Entities are found by their ids among those of the asking user."""

import asyncio
import logging

from functions.toolkit import Entity, entity_source
from functions.toolkit import entities as entities_module
from functions.toolkit.entities import Entities


@entity_source
async def fruit(_documents):
    return [
        Entity(id="a", title="Apple", group="Fruit"),
        Entity(id="b", title="Pear", group="Fruit"),
    ]


@entity_source
async def brands(_documents):
    return [Entity(id="a", title="Another apple", group="Brands")]


@entity_source
async def broken(_documents):
    raise RuntimeError("it is down")


async def found(ids, *sources):
    entities = await Entities(sources).find(ids, None)
    return {each.id: each.title for each in entities.values()}


async def test_the_entities_with_these_ids_are_found_and_the_first_source_wins():
    assert await found(["a", "a", "x"], fruit, brands) == {"a": "Apple"}
    assert await found(["a", "b"], brands, fruit) == {"a": "Another apple", "b": "Pear"}


async def test_without_ids_no_source_is_asked():
    assert await found([], broken) == {}


async def test_a_source_that_does_not_answer_holds_no_message_up(caplog, monkeypatch):
    @entity_source
    async def silent(_documents):
        await asyncio.Event().wait()

    monkeypatch.setattr(entities_module, "SOURCE_SECONDS", 0.01)
    assert await found(["b"], silent, fruit) == {"b": "Pear"}
    assert "a source of mentions failed" in caplog.text


async def test_a_source_that_fails_is_logged_and_the_others_are_asked(caplog):
    with caplog.at_level(logging.ERROR):
        assert await found(["b"], broken, fruit) == {"b": "Pear"}
    assert "a source of mentions failed" in caplog.text
