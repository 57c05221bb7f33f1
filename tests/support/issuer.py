"""A small OpenID Connect issuer on loopback: discovery, keys and signed tokens."""

import asyncio
import json
import time
from contextlib import contextmanager

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from starlette.applications import Starlette
from starlette.responses import Response

from tests.support.served import served

CLIENT = "page"
AUDIENCE = "https://api.example"


class Key:
    """A key pair under an id."""

    def __init__(self, kid="first", alg="RS256", **more):
        self.alg = alg
        self.kid = kid
        self.private = {
            "RS": lambda: rsa.generate_private_key(65537, 2048),
            "PS": lambda: rsa.generate_private_key(65537, 2048),
            "ES": lambda: ec.generate_private_key(
                {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[alg]()
            ),
            "Ed": ed25519.Ed25519PrivateKey.generate,
        }[alg[:2]]()
        algorithm = jwt.get_algorithm_by_name(alg)
        self.public = algorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.public |= {"kid": kid, "use": "sig", "alg": alg, **more}


class Issuer:
    """Answers as an issuer does. Tests change its `keys`, `metadata` and `broken`."""

    def __init__(self):
        self.url = ""
        self.keys = [Key()]
        self.metadata = {}
        self.broken = None
        """A function that makes the answer to a request for the keys in place of the keys."""
        self.requests = []
        self.app = Starlette()
        self.app.add_route("/.well-known/openid-configuration", self._discovery)
        self.app.add_route("/keys", self._keys)

    async def _discovery(self, request):
        self.requests.append(request.url.path)
        found = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.metadata}
        return Response(json.dumps(found), media_type="application/json")

    async def _keys(self, request):
        self.requests.append(request.url.path)
        if self.broken is not None:
            return await self.broken()
        keys = [key if isinstance(key, dict) else key.public for key in self.keys]
        return Response(json.dumps({"keys": keys}), media_type="application/json")

    @property
    def fetches(self):
        return self.requests.count("/keys")

    def claims(self, **changes):
        """The claims of an access token for `AUDIENCE`; a change to None leaves one out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "ada",
            "aud": AUDIENCE,
            "client_id": CLIENT,
            "scope": "openid profile",
            "iat": now,
            "exp": now + 300,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key=None, header=None, /, **changes):
        """A signed token. `key` is the newest one by default."""
        key = key or self.keys[-1]
        # Not `jwt.encode`, which refuses to sign some claims that an attacker would send.
        return jwt.PyJWS().encode(
            json.dumps(self.claims(**changes)).encode(),
            key.private,
            algorithm=key.alg,
            headers={"kid": key.kid, **(header or {})},
        )

    def id_token(self, **changes):
        return self.token(**{"aud": CLIENT, "client_id": None, "scope": None, **changes})


@contextmanager
def issuing():
    """A new issuer, served over HTTP."""
    issuer = Issuer()
    with served(issuer.app) as url:
        issuer.url = url
        yield issuer


def bearer(token, header="x-chatkit-authorization"):
    return {header: f"Bearer {token}"}


async def down():
    return Response("down", 503)


async def never():
    await asyncio.Event().wait()
