"""Whom the claims of a verified token name, and under which key their things are stored."""

import re

import pytest

from functions.errors import PublicError
from functions.settings import Settings
from functions.web.identity.anonymous import COOKIE, new_user
from functions.web.identity.person import owner_id, person_of

ISSUER = "https://login.example"


def person(settings=None, **claims):
    return person_of(
        {"iss": ISSUER, "sub": "ada", **claims}, Settings(_env_file=None, **(settings or {}))
    )


def test_the_owner_is_a_digest_of_issuer_and_subject_that_never_changes():
    """Another form of it would lose everybody's conversations."""
    assert owner_id(ISSUER, "ada", None) == "oidc_3681393a80d9fd0278b73dbf8c41e67a"
    assert owner_id(ISSUER, "ada", "acme") == (
        "oidc_c0374d5aa6f86573e3b956c453692d5e.3681393a80d9fd0278b73dbf8c41e67a"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((ISSUER, "ada", None), (ISSUER, "bob", None)),
        ((ISSUER, "ada", None), ("https://other.example", "ada", None)),
        ((ISSUER, "ada", None), (ISSUER, "ada", "acme")),
        ((ISSUER, "ada", "acme"), (ISSUER, "ada", "globex")),
        ((ISSUER, "ada", "acme"), ("https://other.example", "ada", "acme")),
        ((ISSUER + "a", "da", None), (ISSUER, "ada", None)),
        ((ISSUER, '","', None), (ISSUER + '","', "", None)),
    ],
)
def test_no_two_people_have_one_owner(one, other):
    assert owner_id(*one) != owner_id(*other)


@pytest.mark.parametrize("subject", ["anon_0123", "", "a|b%/#!", "x" * 5_000, "Ádá", "oidc_1"])
def test_an_owner_has_only_characters_that_a_session_tag_may_have(subject):
    """So a subject `anon_…` is nobody's anonymous id. AWS: letters, digits, spaces, `_.:/=+-@`."""
    for tenant in (None, "acme", subject):
        made = owner_id(ISSUER, subject, tenant)
        assert re.fullmatch(r"oidc_[0-9a-f]{32}(\.[0-9a-f]{32})?", made)
        assert len(made) <= 256
    assert not new_user(["k" * 32], COOKIE).id.startswith("oidc_")


def test_people_of_one_tenant_begin_with_the_same_characters():
    one, two = (owner_id(ISSUER, user, "acme").split(".")[0] for user in ("ada", "bob"))
    assert one == two != owner_id(ISSUER, "ada", "globex").split(".")[0]


def test_by_default_the_owner_is_the_subject_and_nobody_has_a_role():
    found = person(name="Ada", email="ada@example.com", roles=["staff"])
    assert found.user_id == owner_id(ISSUER, "ada", None)
    assert (found.name, found.email, found.tenant, found.roles) == ("Ada", None, None, frozenset())


@pytest.mark.parametrize(
    ("verified", "email"),
    [(True, "ada@example.com"), ("true", "ada@example.com")]
    + [(value, None) for value in (False, "false", None, 1, "yes", [True])],
)
def test_an_address_counts_only_when_the_issuer_has_verified_it(verified, email):
    assert person(email="ada@example.com", email_verified=verified).email == email


BY_EMAIL = {"oidc_user_claim": "email"}


def test_a_verified_address_may_be_the_owner():
    found = person(BY_EMAIL, email="ada@example.com", email_verified=True)
    assert found.user_id == owner_id(ISSUER, "ada@example.com", None)


@pytest.mark.parametrize(
    ("settings", "claims"),
    [
        (BY_EMAIL, {"email": "ada@example.com"}),
        (BY_EMAIL, {"email": "ada@example.com", "email_verified": False}),
        (
            {"oidc_user_claim": "preferred_username"},
            {
                "preferred_username": "ada@example.com",
                "email": "eve@example.com",
                "email_verified": True,
            },
        ),
    ],
    ids=["nothing said", "not verified", "another claim with somebody else's address"],
)
def test_an_address_that_is_not_verified_is_never_an_owner(settings, claims):
    with pytest.raises(PublicError) as refused:
        person(settings, **claims)
    assert (refused.value.status, "not verified" in refused.value.message) == (403, True)


@pytest.mark.parametrize("user", [None, "", 7, ["ada"], {}])
def test_a_token_that_names_nobody_is_refused(user):
    with pytest.raises(PublicError) as refused:
        person({"oidc_user_claim": "uid"}, uid=user)
    assert refused.value.status == 403


TENANTS = {"oidc_tenant_claim": "org.id"}


def test_a_tenant_is_in_the_owner():
    found = person(TENANTS, org={"id": "acme"})
    assert (found.tenant, found.user_id) == ("acme", owner_id(ISSUER, "ada", "acme"))


@pytest.mark.parametrize("org", [None, {}, {"id": ""}, {"id": 1}, "acme", ["id"]])
def test_where_there_are_tenants_somebody_without_one_is_refused(org):
    with pytest.raises(PublicError) as refused:
        person(TENANTS, org=org)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("path", "claims", "roles"),
    [
        ("roles", {"roles": ["staff", "admin"]}, {"staff", "admin"}),
        ("cognito:groups", {"cognito:groups": ["staff"]}, {"staff"}),
        ("realm_access.roles", {"realm_access": {"roles": ["staff"]}}, {"staff"}),
        ("https://example.com/roles", {"https://example.com/roles": ["staff"]}, {"staff"}),
        ("role", {"role": "staff"}, {"staff"}),
        ("role", {"role": "staff, admin  editor"}, {"staff", "admin", "editor"}),
        ("roles", {"roles": ["Support Staff", "", 7, None]}, {"Support Staff"}),
        ("roles", {"roles": {"staff": True}}, set()),
        ("roles", {"roles": 7}, set()),
        ("roles", {"roles": True}, set()),
        ("roles", {}, set()),
        ("a.b.c", {"a": "x"}, set()),
    ],
)
def test_roles_are_those_of_the_claim(path, claims, roles):
    assert person({"oidc_roles_claim": path}, **claims).roles == roles


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        (" Ada\n\n# SYSTEM\tof \u202e all\x00 ", "Ada # SYSTEM of all"),
        ("x" * 500, "x" * 200),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",) * 2,  # a joiner within a Persian name
        ("\n", None),
        (7, None),
        (None, None),
    ],
)
def test_a_name_is_one_line(name, shown):
    assert person(name=name).name == shown
