"""Tokens that are not valid here are refused, whatever is wrong with them."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.errors import PublicError
from tests.support.issuer import AUDIENCE, CLIENT, Key
from tests.web.conftest import request_of

INVALID = "This sign-in is not valid here. Please sign in again."
EXPIRED = "Your sign-in has expired. Please sign in again."

ATTACKER = Key("attacker")
SAME_ID = Key("first")
"""A key of the attacker under the id of the issuer's."""


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(issuer, header, signature=b""):
    """A token with any header. `signature` is bytes, or a function of what is signed."""
    signed = f"{part(header)}.{part(issuer.claims())}"
    made = signature(signed.encode()) if callable(signature) else signature
    return f"{signed}.{part(made)}"


def hmac_of(secret):
    return lambda signed: hmac.digest(secret, signed, hashlib.sha256)


def with_public_key(encoding, form):
    """HS256, with the issuer's public key as its secret."""

    def make(issuer):
        public = issuer.keys[0].private.public_key()
        secret = public.public_bytes(encoding, form)
        header = {"alg": "HS256", "typ": "JWT", "kid": "first"}
        return forged(issuer, header, hmac_of(secret))

    return make


def with_jwk_as_secret(issuer):
    secret = json.dumps(issuer.keys[0].public).encode()
    return forged(issuer, {"alg": "HS256", "kid": "first"}, hmac_of(secret))


def with_header(**header):
    """Signed by the issuer's own key, with another header."""
    return lambda issuer: issuer.token(None, header)


def by_attacker(**header):
    """Signed by a key of the attacker's, with a header that says where to find it."""
    return lambda issuer: issuer.token(ATTACKER, header)


def claiming(**changes):
    return lambda issuer: issuer.token(**changes)


def soon(seconds):
    return int(time.time()) + seconds


def unsigned(algorithm):
    return lambda issuer: forged(issuer, {"alg": algorithm, "typ": "JWT", "kid": "first"})


def other_signature(issuer):
    one, two = issuer.token(), issuer.token(sub="eve")
    return f"{two.rpartition('.')[0]}.{one.rpartition('.')[2]}"


def other_claims(issuer):
    header, _, signature = issuer.token().split(".")
    return f"{header}.{part(issuer.claims(sub='eve'))}.{signature}"


ATTACKS = {
    # Algorithm confusion
    "HS256 with the public key as PEM": with_public_key(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ),
    "HS256 with the public key as PKCS1": with_public_key(Encoding.PEM, PublicFormat.PKCS1),
    "HS256 with the public key as DER": with_public_key(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ),
    "HS256 with the public key as JWK": with_jwk_as_secret,
    "HS256 with an empty secret": lambda i: forged(i, {"alg": "HS256"}, hmac_of(b"")),
    "none": unsigned("none"),
    "None": unsigned("None"),
    "NONE": unsigned("NONE"),
    "an empty algorithm": unsigned(""),
    "no algorithm": lambda i: forged(i, {"typ": "JWT", "kid": "first"}),
    "an algorithm that is a list": unsigned(["none"]),
    "an algorithm that is null": unsigned(None),
    "an unknown algorithm": unsigned("RS1"),
    "another algorithm of the same key type": lambda i: jwt.encode(
        i.claims(), i.keys[0].private, "PS256", {"kid": "first"}
    ),
    "an algorithm of another key type": lambda i: forged(
        i, {"alg": "ES256", "kid": "first"}, b"0" * 64
    ),
    # Key injection
    "the attacker's key": by_attacker(),
    "the attacker's key under the issuer's id": lambda i: i.token(SAME_ID),
    "a key id that is a path": by_attacker(kid="../../../../dev/null"),
    "a key id that is an absolute path": by_attacker(kid="/dev/null"),
    "a key id that is a query": by_attacker(kid="first' UNION SELECT 'x"),
    "a key id that is an address": lambda i: i.token(ATTACKER, {"kid": f"{i.url}/evil"}),
    "a very long key id": by_attacker(kid="x" * 10_000),
    "a key id that is a number": lambda i: forged(i, {"alg": "RS256", "kid": 1}),
    "a key id that is null": lambda i: forged(i, {"alg": "RS256", "kid": None}),
    "a key id that is an object": lambda i: forged(i, {"alg": "RS256", "kid": {}}),
    "a key in the header": by_attacker(kid="first", jwk=ATTACKER.public),
    "the address of keys in the header": lambda i: i.token(ATTACKER, {"jku": f"{i.url}/evil"}),
    "the address of a certificate in the header": lambda i: i.token(
        ATTACKER, {"x5u": f"{i.url}/evil", "x5c": ["MIIB"]}
    ),
    "an extension that has to be understood": with_header(crit=["exp"], exp=1),
    "a payload that is not encoded": lambda i: forged(
        i, {"alg": "RS256", "kid": "first", "b64": False, "crit": ["b64"]}
    ),
    # Signature
    "no signature": lambda i: i.token().rpartition(".")[0] + ".",
    "no third part": lambda i: i.token().rpartition(".")[0],
    "half a signature": lambda i: i.token()[:-100],
    "another token's signature": other_signature,
    "other claims": other_claims,
    # Times
    "not yet valid": lambda i: i.token(nbf=soon(120)),
    "issued in the future": lambda i: i.token(iat=soon(120)),
    "without an end": claiming(exp=None),
    "an end that is no time": claiming(exp="never"),
    # Issuer
    "another issuer": claiming(iss="https://evil.example"),
    "the issuer with a slash": lambda i: i.token(iss=f"{i.url}/"),
    "an address that begins like the issuer's": lambda i: i.token(iss=f"{i.url}.evil.example"),
    "a list of issuers": lambda i: i.token(iss=[i.url]),
    "no issuer": claiming(iss=None),
    # Audience
    "another audience": claiming(aud="https://other.example"),
    "another audience, with our client": claiming(aud="https://other.example", azp=CLIENT),
    "other audiences": claiming(aud=["https://other.example", "https://another.example"]),
    "an audience that contains ours": claiming(aud=f"{AUDIENCE}.evil.example"),
    "an audience that is an object": claiming(aud={AUDIENCE: True}),
    "no audience, and another client": claiming(aud=None, client_id="other"),
    "no audience and no client": claiming(aud=None, client_id=None),
    # Kind
    "an ID token": lambda i: i.id_token(),
    "an ID token that names the API": lambda i: i.token(nonce="n"),
    "Cognito's ID token": claiming(token_use="id"),
    "Keycloak's ID token": claiming(typ="ID"),
    "a refresh token": claiming(token_use="refresh"),
    "a subject that is no text": claiming(sub=["ada"]),
    "a logout token": with_header(typ="logout+jwt"),
    "a security event": with_header(typ="secevent+jwt"),
    "a typ that is a list": with_header(typ=["JWT"]),
    # Form
    "nothing of the form": lambda _: "token",
    "dots": lambda _: "..",
    "five parts, as of an encrypted token": lambda i: f"{i.token()}.a.b",
    "a header that is not Base64": lambda i: f"!!.{i.token().partition('.')[2]}",
    "a header that is not JSON": lambda i: f"{part(b'{')}.{i.token().partition('.')[2]}",
    "a header that is a list": lambda i: f"{part([])}.{i.token().partition('.')[2]}",
    "a header of a thousand brackets": lambda i: (
        f"{part(b'[' * 9_000)}.{i.token().partition('.')[2]}"
    ),
    "a token that is too long": lambda i: i.token(filler="x" * 16_384),
    "characters that are not ASCII": lambda i: i.token().replace(".", "é", 1),
}


async def refusal(identity, token):
    with pytest.raises(PublicError) as refused:
        await identity.identify(request_of(token))
    return refused.value


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_that_is_not_valid_here_is_refused(issuer, identity, attack, caplog):
    """The answer is the same for all of them, and neither it nor the log quotes the token."""
    token = ATTACKS[attack](issuer)
    refused = await refusal(identity, token)
    assert (refused.status, refused.message) == (401, INVALID)
    assert refused.headers == {"www-authenticate": 'Bearer realm="chatkit", error="invalid_token"'}
    assert "/evil" not in issuer.requests
    quoted = [piece for piece in token.split(".") if len(piece) > 8 and piece in caplog.text]
    assert quoted == []


@pytest.mark.parametrize(
    "token",
    ["access", "id"],
)
async def test_an_expired_token_is_told_so(issuer, identity_for, token):
    expired = {"exp": soon(-120), "iat": soon(-600)}
    if token == "access":
        refused = await refusal(identity_for(), issuer.token(**expired))
    else:
        identity = identity_for(oidc_token="id", oidc_audience=None)
        refused = await refusal(identity, issuer.id_token(**expired))
    assert (refused.status, refused.message) == (401, EXPIRED)
    assert refused.headers["www-authenticate"].endswith('error="invalid_token"')


async def test_an_expired_token_with_a_wrong_signature_is_not_told_so(issuer, identity):
    refused = await refusal(identity, issuer.token(SAME_ID, exp=soon(-120)))
    assert refused.message == INVALID


@pytest.mark.parametrize(
    "times",
    [{"exp": -20}, {"nbf": 40}, {"iat": 40}],
    ids=["expired", "not yet valid", "issued later"],
)
async def test_clocks_may_differ_by_less_than_a_minute(issuer, identity, times):
    token = issuer.token(**{claim: soon(seconds) for claim, seconds in times.items()})
    assert (await identity.identify(request_of(token))).signed_in


ACCESS_AS_ID = {
    "an access token": claiming(),
    "an access token that names the client": claiming(aud=CLIENT),
    "an access token by RFC 9068": with_header(typ="at+jwt"),
    "Cognito's access token": claiming(aud=CLIENT, scope=None, token_use="access"),
    "Keycloak's access token": claiming(aud=CLIENT, scope=None, typ="Bearer"),
    "Entra's access token": claiming(aud=CLIENT, scope=None, scp="chat"),
    "another client's ID token": lambda i: i.id_token(aud="other"),
    "an ID token that was made for another party": lambda i: i.id_token(
        aud=[CLIENT, "other"], azp="other"
    ),
    "no audience": lambda i: i.id_token(aud=None, azp=CLIENT),
}


@pytest.mark.parametrize("attack", ACCESS_AS_ID)
async def test_where_id_tokens_are_asked_for_others_are_refused(issuer, identity_for, attack):
    identity = identity_for(oidc_token="id", oidc_audience=None)
    refused = await refusal(identity, ACCESS_AS_ID[attack](issuer))
    assert (refused.status, refused.message) == (401, INVALID)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"azp": CLIENT},
        {"nonce": "n", "at_hash": "h"},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"token_use": "id"},
        {"typ": "ID"},
    ],
    ids=["plain", "azp", "nonce", "two audiences", "Cognito", "Keycloak"],
)
async def test_id_tokens_are_accepted_where_they_are_asked_for(issuer, identity_for, claims):
    identity = identity_for(oidc_token="id", oidc_audience=None)
    assert (await identity.identify(request_of(issuer.id_token(**claims)))).signed_in


ONLY_CLIENT = {
    "Cognito: no aud, client_id": {"aud": None, "token_use": "access"},
    "Keycloak: other services in aud, azp": {
        "aud": "account",
        "client_id": None,
        "azp": CLIENT,
        "typ": "Bearer",
    },
    "Entra: the API is the client": {"aud": CLIENT, "client_id": None, "scope": None, "scp": "c"},
}


@pytest.mark.parametrize("claims", ONLY_CLIENT)
async def test_an_access_token_may_name_the_client_where_no_audience_is_set(
    issuer, identity_for, claims
):
    identity = identity_for(oidc_audience=None)
    token = issuer.token(**ONLY_CLIENT[claims])
    assert (await identity.identify(request_of(token))).signed_in


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": CLIENT, "client_id": None, "scope": None},
        {"aud": CLIENT, "nonce": "n"},
        {"aud": "other", "client_id": "other"},
    ],
    ids=["an ID token", "an ID token with a scope", "another client's"],
)
async def test_where_no_audience_is_set_an_id_token_does_not_pass_as_an_access_token(
    issuer, identity_for, claims
):
    refused = await refusal(identity_for(oidc_audience=None), issuer.token(**claims))
    assert (refused.status, refused.message) == (401, INVALID)


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"typ": "application/at+JWT"}, {"typ": ""}])
async def test_an_access_token_may_say_that_it_is_one(issuer, identity, header):
    assert (await identity.identify(request_of(issuer.token(None, header)))).signed_in


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
                  "EdDSA"],
)  # fmt: skip
async def test_every_signature_with_a_public_key_is_accepted(issuer, identity, algorithm):
    issuer.keys = [Key("signer", algorithm)]
    assert (await identity.identify(request_of(issuer.token()))).signed_in


async def test_audiences_may_be_a_list(issuer, identity):
    token = issuer.token(aud=["https://other.example", AUDIENCE])
    assert (await identity.identify(request_of(token))).signed_in
