"""The index of words: one file that several functions change, and everybody reads."""

import asyncio
import sqlite3
import threading

import pytest

from functions.aws.shared_object import ChangedError, SharedObject
from functions.knowledge import words as module
from functions.knowledge.passages import Document, PassageText, document_id, with_ids
from functions.knowledge.terms import indexed, terms_of
from functions.knowledge.words import Words


def document(path, *texts, tenant=None, roles=(), tags=()):
    name = document_id(tenant, path)
    passages = with_ids(name, [PassageText(text, (path,)) for text in texts])
    return Document(name, path, path, tenant, tuple(roles), tuple(tags), passages)


@pytest.fixture
def words(stage):
    return Words(stage.bucket, "k-test")


async def find(stage, query, *documents, tenant=None, **options):
    """The texts that another process finds."""
    reader = Words(stage.bucket, "k-test")
    await reader.refresh()
    texts = {passage.id: passage.text for each in documents for passage in each.passages}
    return [texts[key] for key in await reader.search(query, tenant=tenant, **options)]


async def test_the_passage_with_the_rarest_words_is_first(stage, words):
    one = document("a", "The plan Alpha costs 40 euros.", "The plan Beta costs 60 euros.")
    await words.put(one)
    assert (await find(stage, "what does plan beta cost", one))[0].startswith("The plan Beta")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Die Straße heißt Äußere Mühlgasse.", "STRASSE muhlgasse"),
        ("Order AB-1234/7 was sent.", "ab-1234"),
        ("Order AB-1234/7 was sent.", "where is 1234"),
        ("Use snake_case_names here.", "snake_case_names"),
        ("東京都の人口は多い。", "東京の人口"),
        ("서울은 대한민국의 수도이다", "대한민국"),
        ("नमस्ते दुनिया", "दुनिया"),
        ("ﬁle №5", "file"),
        ("Servers were deployed.", "deploying a server"),
        ("Ωμέγα", "ωμεγα"),
    ],
)
async def test_words_are_found_in_every_writing(stage, words, text, query):
    one = document("a", text, "Something else that is no answer.")
    await words.put(one)
    assert (await find(stage, query, one))[:1] == [text]


@pytest.mark.parametrize(
    "query",
    ['"', "a AND b", "NOT", "x*", "headings:x", "NEAR(a b)", "^a", "(", "-", "' OR 1=1 --", "\0a",
     '""" OR """', "a" * 5_000, "🙂", "{a} : b", "\ud800"],
)  # fmt: skip
async def test_nothing_in_a_question_is_syntax(stage, words, query):
    one = document("a", "A sentence with or and not near.")
    await words.put(one)
    await find(stage, query, one)


def test_a_question_without_words_asks_nothing():
    assert terms_of(" ?! ") == terms_of("") == []


async def test_words_of_too_many_passages_are_not_searched_by(stage, words, monkeypatch):
    one = document("a", *(f"the common word{number}" for number in range(9)))
    await words.put(one)
    monkeypatch.setattr(module, "MOST_ROWS", 8)
    assert await find(stage, "the common word5", one) == ["the common word5"]
    assert await find(stage, "the common", one) == []


def test_a_text_is_always_indexed_in_the_same_way():
    assert indexed("Größe 東京x") == indexed("Größe 東京x") == "grosse  東  京 x"


async def test_who_may_not_see_a_document_does_not_find_it(stage, words):
    documents = [
        document("all", "secret of all"),
        document("acme", "secret of acme", tenant="acme"),
        document("globex", "secret of globex", tenant="globex"),
        document("staff", "secret of staff", roles=["staff"]),
        document("boss", "secret of boss", tenant="acme", roles=["boss", "chief"], tags=["hr"]),
    ]
    for each in documents:
        await words.put(each)

    async def seen(**who):
        found = await find(stage, "secret", *documents, **who)
        return {text.split()[-1] for text in found}

    assert await seen() == {"all"}
    assert await seen(tenant="acme") == {"all", "acme"}
    assert await seen(tenant="other", roles=["staff", "boss"]) == {"all", "staff"}
    assert await seen(tenant="acme", roles=["chief"]) == {"all", "acme", "boss"}
    assert await seen(tenant="acme", roles=["chief"], tags=["hr", "it"]) == {"boss"}


async def test_a_passage_that_is_replaced_is_forgotten_with_its_words(stage, words):
    old = document("a", "alpha beta", "gamma")
    new = document("a", "gamma", "delta")
    await words.put(old)
    await words.put(new, old.passages)
    assert await find(stage, "alpha beta", old, new) == []
    assert sorted(await find(stage, "gamma delta", new)) == ["delta", "gamma"]
    with sqlite3.connect(words._copy) as file:
        file.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row)")
        terms = dict(file.execute("SELECT term, doc FROM vocabulary"))
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert terms == {"a": 2, "gamma": 1, "delta": 1}


async def test_a_passage_whose_text_is_not_known_any_more_is_not_found_either(stage, words):
    old, new = document("a", "alpha beta"), document("a", "gamma")
    await words.put(old)
    await words.put(new)
    assert await find(stage, "alpha gamma", new) == ["gamma"]
    await words.put(document("a"))
    assert await find(stage, "alpha gamma") == []


def test_a_file_whose_documents_change_all_the_time_does_not_grow(tmp_path):
    file = tmp_path / "words.sqlite3"

    def version(name, number):
        texts = (" ".join(f"w{number * n % 997}" for n in range(50)) + f" {n}" for n in range(20))
        return document(name, *texts)

    documents = {str(number): version(str(number), number + 1) for number in range(20)}
    with module._opened(file, new=True) as database:
        for each in documents.values():
            module._change(database, each, {})
    size = file.stat().st_size
    for number in range(300):
        name = str(number % 20)
        old, new = documents[name], version(name, number + 100)
        known = {passage.id: passage for passage in (*old.passages, *new.passages)}
        with module._opened(file, new=False) as database:
            module._change(database, new, known)
        documents[name] = new
    assert file.stat().st_size < 3 * size


async def test_what_does_not_change_the_file_is_not_written(stage, words, monkeypatch):
    one = document("a", "alpha")
    await words.put(one)

    async def refuse(*args):
        raise AssertionError

    monkeypatch.setattr(SharedObject, "replace", refuse)
    await words.put(one)
    await words.put(document("unknown"))


async def test_many_change_one_file_at_once_and_none_is_lost(stage, monkeypatch):
    """Each has a copy of its own, so all but one are refused (412) and try again. The lock is for
    moto, which checks a condition and writes in two steps.
    """
    monkeypatch.setattr(module, "WAIT", 0)
    refused, lock = [], threading.Lock()
    replace = SharedObject._replace

    def counted(self, **asked):
        try:
            with lock:
                return replace(self, **asked)
        except ChangedError:
            refused.append(asked["etag"])
            raise

    monkeypatch.setattr(SharedObject, "_replace", counted)
    documents = [document(f"d{number}", f"common word{number}") for number in range(4)]
    await asyncio.gather(*(Words(stage.bucket, "k-test").put(each) for each in documents))
    assert len(await find(stage, "common", *documents)) == 4
    assert refused


async def test_a_copy_is_transferred_only_when_it_has_changed(stage, words, monkeypatch):
    one = document("a", "alpha")
    await words.put(one)
    reader = Words(stage.bucket, "k-test")
    await reader.refresh()
    first = reader._copy.stat().st_ino
    await reader.refresh()
    assert reader._copy.stat().st_ino == first
    await words.put(document("b", "alpha too"))
    await reader.refresh()
    assert reader._copy.stat().st_ino != first
    assert len(await reader.search("alpha", tenant=None)) == 2
