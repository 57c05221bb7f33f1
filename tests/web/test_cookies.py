"""The session's cookie: nobody but the chat's own host decides who a visitor is."""

from http.cookies import SimpleCookie

import pytest
from starlette.requests import Request
from starlette.responses import Response

from functions.settings import Settings
from functions.web.identity import identity_of
from functions.web.identity.anonymous import BEARER, COOKIE, FORMER
from functions.web.identity.cookies import remove_token
from tests.support.person import KEY
from tests.support.tokens import session_token

ADA, EVE = "anon_ada", "anon_eve"
TLS, HTTP = "https", "http"
SHOP = "https://shop.example"


def asked(*cookies, scheme=TLS, **headers):
    """A request with these cookie headers. In AWS the scheme is in a header."""
    named = {"x-forwarded-proto": scheme, **headers}
    return Request(
        {
            "type": "http",
            "scheme": "http",
            "path": "/",
            "headers": [
                *((name.encode(), value.encode()) for name, value in named.items()),
                *((b"cookie", value.encode()) for value in cookies),
            ],
        }
    )


async def identify(request):
    settings = Settings(_env_file=None, cookie_key=KEY, allowed_origins=[SHOP])
    return await identity_of(settings).identify(request)


async def answered(request):
    """The visitor, and the cookies that the answer sets."""
    visitor, response = await identify(request), Response()
    visitor.send_token(request, response)
    return visitor, cookies_of(response)


def cookies_of(response):
    jar = SimpleCookie()
    for line in response.headers.getlist("set-cookie"):
        jar.load(line)
    return dict(jar)


def token(user, purpose=COOKIE):
    return session_token(purpose, user=user)


async def test_over_tls_the_cookie_has_the_prefix_that_binds_it_to_its_host():
    visitor, cookies = await answered(asked())
    (name,) = cookies
    assert name == "__Host-chatkit_session"
    assert cookies[name]["secure"]
    assert cookies[name]["httponly"]
    assert cookies[name]["path"] == "/"
    assert not cookies[name]["domain"]
    again = await identify(asked(f"{name}={cookies[name].value}"))
    assert (again.user_id, again.fresh) == (visitor.user_id, False)


async def test_over_plain_http_the_cookie_has_no_prefix():
    visitor, cookies = await answered(asked(scheme=HTTP))
    (name,) = cookies
    assert name == "chatkit_session"
    assert not cookies[name]["secure"]
    again = await identify(asked(f"a=b; {name}={cookies[name].value}; c", scheme=HTTP))
    assert (again.user_id, again.fresh) == (visitor.user_id, False)


async def test_a_visitor_of_version_0_1_stays_who_they_are_and_gets_the_new_cookie():
    visitor, cookies = await answered(asked(f"chatkit_session={token(ADA, FORMER)}"))
    assert visitor.user_id == ADA
    assert cookies["chatkit_session"]["max-age"] == "0"
    new = cookies["__Host-chatkit_session"].value
    assert (await identify(asked(f"__Host-chatkit_session={new}"))).user_id == ADA


@pytest.mark.parametrize("purpose", [COOKIE, BEARER])
async def test_a_token_that_is_made_today_does_not_count_under_the_former_name(purpose):
    visitor = await identify(asked(f"chatkit_session={token(EVE, purpose)}"))
    assert visitor.new


async def test_the_former_name_does_not_count_beside_the_new_one():
    """A sibling domain plants the former name with a token of its own."""
    planted = f"chatkit_session={token(EVE, FORMER)}"
    visitor = await identify(asked(f"{planted}; __Host-chatkit_session={token(ADA)}"))
    assert visitor.user_id == ADA
    for invalid in ("", "dropped", token(ADA, FORMER)):
        assert (await identify(asked(f"{planted}; __Host-chatkit_session={invalid}"))).new


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize(
    ("scheme", "name", "purpose"),
    [
        (TLS, "__Host-chatkit_session", COOKIE),
        (TLS, "chatkit_session", FORMER),
        (HTTP, "chatkit_session", COOKIE),
    ],
)
async def test_of_two_cookies_of_the_name_neither_counts(scheme, name, purpose, joined, order):
    pairs = [f"{name}={token(user, purpose)}" for user in (ADA, EVE)][::order]
    headers = ["; ".join(pairs)] if joined else pairs
    assert (await identify(asked(*headers, scheme=scheme))).new


async def test_a_cookie_whose_name_only_ends_alike_is_another_one():
    visitor = await identify(
        asked(f"x__Host-chatkit_session={token(EVE)};__Host-chatkit_session={token(ADA)}")
    )
    assert visitor.user_id == ADA


async def test_a_page_on_another_origin_gets_a_header_token_and_never_the_cookies():
    request = asked(f"__Host-chatkit_session={token(ADA)}", origin=SHOP)
    visitor, cookies = await answered(request)
    assert (visitor.user_id, visitor.by_header, cookies) == (ADA, True, {})
    days = (visitor.expires_at - (await identify(asked())).expires_at).days
    assert -371 <= days <= -370  # 30 days instead of 400
    held = {"x-chatkit-authorization": f"Bearer {visitor.token}"}
    assert (await identify(asked(**held, origin=SHOP))).user_id == ADA


async def test_a_cookies_token_is_not_accepted_in_a_header():
    held = {"x-chatkit-authorization": f"Bearer {token(ADA)}"}
    assert (await identify(asked(**held, origin=SHOP))).new
    assert (await identify(asked(**held))).new


async def test_a_header_token_is_renewed_in_a_header_also_without_an_origin():
    """A request by a program, or a GET by a page on the same site, has no `Origin`."""
    held = {"authorization": f"Bearer {token(ADA, FORMER)}"}
    request, response = asked(**held), Response()
    visitor = await identify(request)
    visitor.send_token(request, response)
    assert visitor.user_id == ADA
    assert "set-cookie" not in response.headers
    renewed = {"authorization": f"Bearer {response.headers['x-chatkit-token']}"}
    assert (await identify(asked(**renewed))).user_id == ADA


@pytest.mark.parametrize("scheme", [TLS, HTTP])
async def test_to_be_forgotten_both_cookies_are_removed(scheme):
    names = {"chatkit_session", "__Host-chatkit_session"} if scheme == TLS else {"chatkit_session"}
    response = Response()
    remove_token(asked("; ".join(f"{name}=x" for name in names), scheme=scheme), response)
    cookies = cookies_of(response)
    assert {name for name, each in cookies.items() if each["max-age"] == "0"} == names
    assert all(bool(each["secure"]) == (scheme == TLS) for each in cookies.values())
