"""Documents of one person, when several tabs change them at once."""

import asyncio

import pytest

from functions.context import RequestContext
from functions.errors import ActionError
from functions.store import Conflict
from functions.toolkit import Document, Documents
from functions.toolkit import documents as documents_module

WORDS = Document[list[str]]("words", list[str], empty=list)


class Records:
    """Records with versions. Other tasks may run between a read and a write."""

    def __init__(self):
        self.stored = {}

    async def get(self, kind, context):
        found = self.stored.get((kind, context.user_id), (None, 0))
        await asyncio.sleep(0)
        return found

    async def put(self, kind, value, context, *, version):
        await asyncio.sleep(0)
        if self.stored.get((kind, context.user_id), (None, 0))[1] != version:
            raise Conflict(kind)
        self.stored[kind, context.user_id] = (value, version + 1)
        return version + 1


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def ada(records):
    return Documents(records, RequestContext(user_id="ada"))


def adding(word):
    return lambda words: [*words, word]


async def test_a_document_that_was_never_stored_is_empty(ada):
    assert await ada.read(WORDS) == []


async def test_parallel_changes_are_all_applied(ada):
    await asyncio.gather(*(ada.change(WORDS, adding(f"word {n}")) for n in range(4)))
    assert set(await ada.read(WORDS)) == {f"word {n}" for n in range(4)}


async def test_a_change_fails_when_every_attempt_conflicts(ada, records, monkeypatch):
    async def refuse(*_, **__):
        raise Conflict("words")

    monkeypatch.setattr(records, "put", refuse)
    monkeypatch.setattr(documents_module.random, "uniform", lambda *_: 0)
    with pytest.raises(ActionError) as raised:
        await ada.change(WORDS, adding("x"))
    assert raised.value.status == 409


async def test_a_change_that_raises_writes_nothing(ada, records):
    def refuse(_):
        raise ActionError(404, "no")

    with pytest.raises(ActionError, match="no"):
        await ada.change(WORDS, refuse)
    assert records.stored == {}


async def test_unchanged_content_is_not_written(ada, records):
    await ada.change(WORDS, adding("milk"))
    before = dict(records.stored)
    await ada.change(WORDS, list)
    assert records.stored == before


async def test_each_user_reads_only_their_own_documents(ada, records):
    await ada.change(WORDS, adding("milk"))
    assert await Documents(records, RequestContext(user_id="bob")).read(WORDS) == []
