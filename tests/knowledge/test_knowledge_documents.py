"""Where documents lie, and what their ids follow from."""

import pytest

from functions.aws.keys import part
from functions.knowledge.documents import Place, names, object_key, version_of
from functions.knowledge.passages import PASSAGE_ID, PassageText, document_of, with_ids


@pytest.mark.parametrize("tenant", [None, "acme", "a b/c#d", "@", "-", "x" * 300, "ü", "a%20b"])
def test_the_key_of_an_original_says_whose_it_is(tenant):
    place = Place.of(object_key(tenant, "folder/@x/a b.md"))
    assert place.path == "folder/@x/a b.md"
    assert place.tenant == (None if tenant is None else part(tenant))


def test_the_same_path_of_two_tenants_is_two_documents():
    places = [Place.of(object_key(tenant, "a.md")) for tenant in (None, "acme", "globex", "None")]
    assert len({place.document for place in places}) == 4


@pytest.mark.parametrize(
    "key", ["knowledge/", "knowledge/x/", "other/x", "knowledge/@/x", "knowledge/@a b/x"]
)
def test_some_keys_are_no_documents(key):
    assert Place.of(key) is None


def test_roles_and_tags_are_names_with_spaces_or_commas():
    assert names({"roles": " staff,admin  staff"}, "roles") == ("admin", "staff")
    assert names({}, "tags") == ()


def test_content_roles_and_tags_make_a_version():
    versions = {
        version_of(*said)
        for said in [("e", "", ""), ("f", "", ""), ("e", ["a"], ""), ("e", "", ["a"])]
    }
    assert len(versions) == 4


def test_a_passage_keeps_its_id_wherever_it_moves_and_shares_it_with_none():
    one, two = PassageText("one", ("h",), 1, "x"), PassageText("two")
    first = with_ids("d" * 20, [one, two, one, PassageText("one", ("h",), 2)])
    second = with_ids("d" * 20, [PassageText("new"), one, two])
    assert len({passage.id for passage in first}) == 4
    assert [passage.id for passage in second[1:]] == [passage.id for passage in first[:2]]
    assert all(PASSAGE_ID.fullmatch(passage.id) for passage in first)
    assert {document_of(passage.id) for passage in first} == {"d" * 20}
