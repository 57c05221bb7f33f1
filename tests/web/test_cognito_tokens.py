"""Tokens as Cognito makes them, under the settings that `signIn=cognito` gives the functions.

Their claims are those of AWS's examples:
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
"""

import pytest

from functions.errors import PublicError
from functions.web.identity.person import owner_id
from tests.support.issuer import CLIENT
from tests.web.conftest import request_of

SUB = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
BOTH = {
    "sub": SUB,
    "cognito:groups": ["staff", "admin"],
    "origin_jti": SUB,
    "event_id": SUB,
    "jti": SUB,
    "auth_time": 1676312777,
}
ID = {
    **BOTH,
    "token_use": "id",
    "aud": CLIENT,
    "cognito:username": SUB,
    "email": "jane@example.com",
    "email_verified": True,
    "name": "Jane Roe",
    "custom:tenant": "acme",
    "nonce": "abcdefg",
    "at_hash": "abcdefg",
    "acr": "1",
    "amr": ["pwd"],
}
ACCESS = {
    **BOTH,
    "token_use": "access",
    "aud": None,
    "version": 2,
    "client_id": CLIENT,
    "scope": "openid profile email",
    "username": SUB,
}
NO_TYPE = {"typ": None}  # their headers have `kid` and `alg` only


@pytest.fixture
def identity(identity_for):
    return identity_for(oidc_token="id", oidc_audience=None, oidc_roles_claim="cognito:groups")


async def test_an_id_token_says_who_it_is(issuer, identity):
    visitor = await identity.identify(request_of(id_token(issuer)))
    assert visitor.user_id == owner_id(issuer.url, SUB, None)
    assert (visitor.name, visitor.email) == ("Jane Roe", "jane@example.com")
    assert visitor.roles == {"staff", "admin"}


async def test_an_attribute_of_the_pool_can_be_the_tenant(issuer, identity_for):
    identity = identity_for(oidc_token="id", oidc_audience=None, oidc_tenant_claim="custom:tenant")
    assert (await identity.identify(request_of(id_token(issuer)))).tenant == "acme"
    with pytest.raises(PublicError) as refused:
        await identity.identify(request_of(id_token(issuer, **{"custom:tenant": None})))
    assert refused.value.status == 403


def id_token(issuer, **changes):
    return issuer.token(None, NO_TYPE, **{"client_id": None, "scope": None, **ID, **changes})


@pytest.mark.parametrize(
    "changes",
    [{}, {"token_use": None}, {"aud": CLIENT}, {"aud": CLIENT, "scope": None}],
    ids=["as it is", "without its use", "with an audience", "with an audience and no scope"],
)
async def test_its_access_token_is_refused(issuer, identity, changes):
    token = issuer.token(None, NO_TYPE, **{**ACCESS, **changes})
    with pytest.raises(PublicError) as refused:
        await identity.identify(request_of(token))
    assert refused.value.status == 401


async def test_the_id_token_of_another_client_of_the_pool_is_refused(issuer, identity):
    with pytest.raises(PublicError) as refused:
        await identity.identify(request_of(id_token(issuer, aud="another-client")))
    assert refused.value.status == 401
