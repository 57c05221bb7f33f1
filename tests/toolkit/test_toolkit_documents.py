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
    """Records with versions, which let others in between a read and a write."""

    def __init__(self):
        self.kept = {}

    async def get(self, kind, context):
        found = self.kept.get((kind, context.user_id), (None, 0))
        await asyncio.sleep(0)
        return found

    async def put(self, kind, value, context, *, version):
        await asyncio.sleep(0)
        if self.kept.get((kind, context.user_id), (None, 0))[1] != version:
            raise Conflict(kind)
        self.kept[kind, context.user_id] = (value, version + 1)
        return version + 1


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def ada(records):
    return Documents(records, RequestContext(user_id="ada"))


def adding(word):
    return lambda words: [*words, word]


async def test_a_document_that_was_never_kept_is_empty(ada):
    assert await ada.read(WORDS) == []


async def test_changes_at_once_are_all_applied(ada):
    await asyncio.gather(*(ada.change(WORDS, adding(f"word {n}")) for n in range(4)))
    assert set(await ada.read(WORDS)) == {f"word {n}" for n in range(4)}


async def test_a_document_that_others_keep_changing_is_given_up(ada, records, monkeypatch):
    async def refuse(*_, **__):
        raise Conflict("words")

    monkeypatch.setattr(records, "put", refuse)
    monkeypatch.setattr(documents_module.random, "uniform", lambda *_: 0)
    with pytest.raises(ActionError) as told:
        await ada.change(WORDS, adding("x"))
    assert told.value.status == 409


async def test_what_a_change_raises_goes_through_and_nothing_is_written(ada, records):
    def refuse(_):
        raise ActionError(404, "no")

    with pytest.raises(ActionError, match="no"):
        await ada.change(WORDS, refuse)
    assert records.kept == {}


async def test_content_that_stays_the_same_is_not_written_again(ada, records):
    await ada.change(WORDS, adding("milk"))
    before = dict(records.kept)
    await ada.change(WORDS, list)
    assert records.kept == before


async def test_nobody_sees_the_documents_of_others(ada, records):
    await ada.change(WORDS, adding("milk"))
    assert await Documents(records, RequestContext(user_id="bob")).read(WORDS) == []
