"""Search and the view of a passage: what is found, by whom, in how many round trips."""

from urllib.parse import urlsplit

import httpx2
import pytest

from functions import aws
from functions.knowledge.search import Knowledge, fused
from functions.knowledge.words import Words


@pytest.mark.parametrize(("weights", "best"), [((2, 1), "bacd"), ((1, 2), "bdac")])
async def test_a_passage_that_both_lists_have_is_first_and_a_list_may_weigh_more(weights, best):
    found = fused([["a", "b", "c"], ["d", "b"]], weights)
    assert "".join(key for key, _ in found) == best


async def test_what_only_words_find_comes_with_its_text(stage, monkeypatch):
    from functions.knowledge.vectors import Vectors

    await stage.take(stage.put("a.md", "The part number is QX-77.\n\nSomething else."))

    async def nothing(*args):
        return []

    monkeypatch.setattr(Vectors, "query", nothing)
    knowledge = Knowledge.of(stage.settings, stage.bucket)
    (found,) = await knowledge.search("QX-77", tenant=None, roles=())
    assert found.passage.text == "The part number is QX-77."
    assert (found.title, found.path, found.passage.headings) == ("a.md", "a.md", ("a.md",))
    assert found.passage.id.startswith(found.document)


async def test_words_are_searched_while_the_embedding_model_is_out_of_order(
    stage, monkeypatch, caplog
):
    from functions.knowledge.embedder import EmbeddingUnavailableError
    from functions.knowledge.hashing import HashingEmbedder

    await stage.take(stage.put("a.md", "The part number is QX-77.\n\nSomething else."))

    async def fails(*_, **__):
        raise EmbeddingUnavailableError("openai: status=503")

    monkeypatch.setattr(HashingEmbedder, "embed", fails)
    knowledge = Knowledge.of(stage.settings, stage.bucket)
    (found,) = await knowledge.search("QX-77", tenant=None, roles=())
    assert found.passage.text == "The part number is QX-77."
    assert "its words alone are searched: openai: status=503" in caplog.text
    assert "QX-77" not in caplog.text


async def test_one_tenants_documents_are_unknown_in_another(stage):
    """Neither by meaning nor by words nor by an id, and roles count besides."""
    for path, tenant, roles in (
        ("all.md", None, ""),
        ("acme.md", "acme", ""),
        ("boss.md", "acme", "boss chief"),
        ("globex.md", "glo bex/1", ""),
    ):
        await stage.take(stage.put(path, f"The secret of {path}", tenant, roles=roles))

    async def seen(tenant, *roles):
        return {text.split()[-1] for text in await stage.found("secret", tenant, roles)}

    assert await seen(None) == {"all.md"}
    assert await seen("acme") == {"all.md", "acme.md"}
    assert await seen("acme", "chief") == {"all.md", "acme.md", "boss.md"}
    assert await seen("glo bex/1", "chief") == {"all.md", "globex.md"}
    assert await seen("@everybody", "chief") == {"all.md"}

    ids = {each["path"]: key for key, each in (await stage.vectors()).items()}
    for path, tenant, roles, there in (
        ("acme.md", "acme", (), True),
        ("acme.md", "glo bex/1", (), False),
        ("acme.md", None, (), False),
        ("boss.md", "acme", (), False),
        ("boss.md", "acme", ("boss",), True),
        ("globex.md", "glo bex/1", (), True),
        ("globex.md", "acme", ("boss",), False),
        ("all.md", "anybody", (), True),
    ):
        view = await stage.knowledge.passage(ids[path], tenant=tenant, roles=roles)
        assert (view is not None) is there, (path, tenant)


async def test_tags_narrow_a_search(stage):
    await stage.take(stage.put("a.md", "Leave is 30 days.", tags="hr law"))
    await stage.take(stage.put("b.md", "Leave the key at the desk.", tags="office"))
    assert len(await stage.found("leave")) == 2
    assert await stage.found("leave", tags=["law", "x"]) == ["Leave is 30 days."]


async def test_the_view_of_a_passage_has_its_neighbours_and_a_link_to_the_page(stage):
    key = stage.put("a b.pdf", "\n\n".join(f"Part {number}." for number in range(12)), "acme")
    await stage.take(key)
    ids = {each["text"]: key for key, each in (await stage.vectors()).items()}
    view = await stage.knowledge.passage(ids["Part 10."], tenant="acme", roles=())
    assert (view.before, view.passage.text, view.after) == ("Part 9.", "Part 10.", "Part 11.")
    assert (view.title, view.path) == ("a b.pdf", "a b.pdf")
    assert urlsplit(view.link).fragment == "page=2"
    async with httpx2.AsyncClient() as client:
        assert (await client.get(view.link)).text.startswith("Part 0.")
    first = await stage.knowledge.passage(ids["Part 0."], tenant="acme", roles=())
    assert (first.before, first.after) == ("", "Part 1.")


async def test_only_a_pdf_is_shown_by_its_link(stage):
    """An HTML page's scripts would run at the address that serves the files."""
    await stage.take(stage.put("a.html", "<script>"))
    (key,) = await stage.vectors()
    view = await stage.knowledge.passage(key, tenant=None, roles=())
    assert "response-content-disposition=attachment" in view.link


@pytest.mark.parametrize("name", ["", "x", "../../current.json", "0" * 36, "0" * 36 + "-1\n"])
async def test_an_unknown_passage_is_none(stage, name):
    await stage.take(stage.put("a.md", "It is a."))
    assert await stage.knowledge.passage(name, tenant=None, roles=()) is None


async def test_nothing_is_found_before_anything_was_ingested(stage):
    assert await stage.found("anything") == []
    assert await stage.knowledge.passage("0" * 36, tenant=None, roles=()) is None


async def test_a_search_makes_at_most_three_round_trips_one_after_the_other(stage, monkeypatch):
    await stage.take(stage.put("a.md", "\n\n".join(f"Word{n} of the list." for n in range(60))))
    await stage.found("list")
    calls = []
    call = aws.call

    async def noted(method, /, **kwargs):
        name = getattr(method, "__name__", "")
        if name in {"_read", "_download", "query_vectors", "get_vectors", "get_object"}:
            calls.append(name)
        return await call(method, **kwargs)

    from functions.aws import clients
    from functions.knowledge import vectors

    monkeypatch.setattr(clients, "call", noted)
    monkeypatch.setattr(vectors, "call", noted)
    knowledge = Knowledge.of(stage.settings, stage.bucket)
    await knowledge.search("word7", tenant=None, roles=())
    first, calls[:] = list(calls), []
    await knowledge.search("word8", tenant=None, roles=())
    assert first[:2] == ["_read", "_download"]
    assert first[2] == "query_vectors"
    assert calls[:2] == ["_download", "query_vectors"]
    assert set(calls[2:]) <= {"get_vectors"}
    assert len(calls) <= 3


async def test_a_search_goes_on_after_the_index_was_switched_and_removed(stage):
    from functions.knowledge.current import CurrentIndex, Index
    from functions.knowledge.vectors import Vectors

    key = stage.put("a.md", "It is a.")
    await stage.take(key)
    assert await stage.knowledge.search("a", tenant=None, roles=())
    stage.settings = stage.settings.model_copy(update={"passage_tokens": 100})
    current = CurrentIndex(stage.bucket)
    await current.build(Index.of(stage.settings))
    await stage.take(key)
    old = await current.switch()
    await Vectors(stage.name, old.index).drop()
    await stage.bucket.delete_prefix(old.prefix)
    assert await stage.knowledge.search("a", tenant=None, roles=())


async def test_who_searches_while_roles_are_taken_away_finds_nothing_by_words(stage, monkeypatch):
    """The vectors are changed first, and say who may see what words find."""
    key = stage.put("a.md", "It is alpha.")
    await stage.take(key)
    stage.put("a.md", "It is alpha.", roles="staff")

    async def stop(*args, **kwargs):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Words, "put", stop)
        with pytest.raises(RuntimeError):
            await stage.take(key)
    assert await stage.found("alpha") == []
    assert await stage.found("alpha", roles=["staff"]) == ["It is alpha."]


@pytest.mark.parametrize("query", ["", " \n", "?!", "🙂", "\x00", "a" * 20_000])
async def test_any_question_can_be_asked(stage, query):
    await stage.take(stage.put("a.md", "It is a."))
    assert len(await stage.found(query)) <= 1
