"""An issuer on loopback, and identities that trust it."""

import pytest
from starlette.requests import Request

from functions.settings import Settings
from functions.web.identity import identity_of
from tests.support.issuer import AUDIENCE, CLIENT, Key, issuing

COOKIE_KEY = "k" * 32


@pytest.fixture(scope="module")
def served_issuer():
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def first_key():
    return Key()


@pytest.fixture
def issuer(served_issuer, first_key):
    """The issuer as it is at first. Tests may change it."""
    served_issuer.keys = [first_key]
    served_issuer.metadata = {}
    served_issuer.broken = None
    served_issuer.requests.clear()
    return served_issuer


@pytest.fixture
def identity_for(issuer):
    """Makes an identity that trusts the issuer. `changes` are settings."""

    def make(**changes):
        settings = {
            "auth": "oidc",
            "oidc_issuer": issuer.url,
            "oidc_client_id": CLIENT,
            "oidc_audience": AUDIENCE,
            "cookie_key": COOKIE_KEY,
            **changes,
        }
        return identity_of(Settings(_env_file=None, **settings))

    return make


@pytest.fixture
def identity(identity_for):
    return identity_for()


def request_with(*headers):
    """A request with these headers, which are pairs."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


def request_of(token):
    return request_with(("x-chatkit-authorization", f"Bearer {token}"))
