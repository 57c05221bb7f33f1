"""In a real browser, over TLS: a sibling domain cannot make a visitor somebody else."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from functions.settings import Settings
from functions.web.identity import identity_of
from functions.web.identity.anonymous import COOKIE, FORMER
from functions.web.identity.cookies import OVER_TLS, PLAIN
from tests.support.chromium import chromium
from tests.support.person import KEY
from tests.support.served import served
from tests.support.tokens import session_token

CHAT, SIBLING = "chat.shop.example", "blog.shop.example"


async def who(request):
    identity = identity_of(Settings(_env_file=None, cookie_key=KEY))
    visitor = await identity.identify(request)
    response = PlainTextResponse(visitor.user_id)
    visitor.send_token(request, response)
    return response


async def plant(request):
    return PlainTextResponse("", headers={"set-cookie": request.query_params["cookie"]})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that nobody has signed, which the browser is told to take."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, CHAT)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    folder = tmp_path_factory.mktemp("tls")
    files = {"ssl_certfile": folder / "cert.pem", "ssl_keyfile": folder / "key.pem"}
    files["ssl_certfile"].write_bytes(certificate.public_bytes(pem))
    files["ssl_keyfile"].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture(scope="module")
def port(certificate):
    app = Starlette(routes=[Route("/who", who), Route("/plant", plant)])
    with served(app, **certificate) as url:
        yield url.rpartition(":")[2]


@pytest.fixture(scope="module")
def browser():
    with chromium("--host-resolver-rules=MAP * 127.0.0.1") as started:
        yield started


@pytest.fixture
def visit(browser, port):
    """Opens an address in a new profile, and returns the text there."""
    with browser.new_context(ignore_https_errors=True) as profile:
        page = profile.new_page()

        def open_page(host, path):
            page.goto(f"https://{host}:{port}{path}")
            return page.inner_text("body").strip()

        yield open_page


def planted(visit, name, token):
    visit(SIBLING, f"/plant?cookie={quote(f'{name}={token}; Domain=shop.example; Path=/; Secure')}")


def test_a_visitor_is_the_same_at_the_next_visit(visit):
    assert visit(CHAT, "/who") == visit(CHAT, "/who")


def test_a_visitor_stays_who_they_are_whatever_a_sibling_plants(visit):
    mine = visit(CHAT, "/who")
    planted(visit, OVER_TLS, session_token(COOKIE, user="anon_eve"))
    planted(visit, PLAIN, session_token(FORMER, user="anon_eve"))
    assert visit(CHAT, "/who") == mine


@pytest.mark.parametrize("name", [OVER_TLS, PLAIN])
def test_a_new_visitor_is_not_made_who_a_sibling_wants(visit, name):
    planted(visit, name, session_token(COOKIE, user="anon_eve"))
    first = visit(CHAT, "/who")
    assert first != "anon_eve"
    assert visit(CHAT, "/who") == first


def test_a_visitor_of_version_0_1_stays_who_they_are_and_loses_the_former_cookie(visit):
    former = f"{PLAIN}={session_token(FORMER, user='anon_ada')}; Path=/; Secure; HttpOnly"
    visit(CHAT, f"/plant?cookie={quote(former)}")
    assert visit(CHAT, "/who") == "anon_ada"
    planted(visit, PLAIN, session_token(FORMER, user="anon_eve"))
    assert visit(CHAT, "/who") == "anon_ada"
