"""A Function URL's event as an ASGI scope."""

import base64
import time

import pytest

from functions.lambda_stream.context import Context
from functions.lambda_stream.scope import BadEventError, read_event


def _context(**headers) -> Context:
    return Context.from_headers({"lambda-runtime-aws-request-id": "r-1", **headers})


def _event(**changes):
    http = {"method": "get", "sourceIp": "192.0.2.1"}
    return {
        "version": "2.0",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"host": "x.lambda-url.eu-west-1.on.aws"},
        "requestContext": {"http": http, "domainName": "x.lambda-url.eu-west-1.on.aws"},
        **changes,
    }


def _read(event, state=None):
    return read_event(event, _context(), state or {})


def test_the_scope_has_the_decoded_and_the_raw_path():
    scope, _ = _read(_event(rawPath="/a%20b/%E2%82%AC/%2F%FF"))
    assert scope["path"] == "/a b/€//\ufffd"
    assert scope["raw_path"] == b"/a%20b/%E2%82%AC/%2F%FF"


def test_method_client_server_and_scheme_come_from_the_event():
    scope, body = _read(_event())
    assert (scope["type"], scope["method"], body) == ("http", "GET", b"")
    assert scope["client"] == ("192.0.2.1", 0)
    assert scope["server"] == ("x.lambda-url.eu-west-1.on.aws", 443)
    assert scope["scheme"] == "https"
    plain = {"x-forwarded-proto": "http", "x-forwarded-port": "8001"}
    scope, _ = _read(_event(headers=plain))
    assert (scope["scheme"], scope["server"][1]) == ("http", 8001)


def test_cookies_are_one_header_and_headers_are_lower_case_bytes():
    event = _event(headers={"X-A": "1,2", "Cookie": "a=1; b=2"}, cookies=["a=1", "b=2"])
    scope, _ = _read(event)
    assert scope["headers"] == [(b"x-a", b"1,2"), (b"cookie", b"a=1; b=2")]
    scope, _ = _read(_event(headers={"cookie": "only=header", "x-city": "Zürich", "x-k": "Кот"}))
    assert scope["headers"][0] == (b"cookie", b"only=header")
    assert dict(scope["headers"])[b"x-city"] == "Zürich".encode("latin-1")
    assert dict(scope["headers"])[b"x-k"] == "Кот".encode()


def test_bodies_are_bytes_text_or_base64():
    assert _read(_event(body="€"))[1] == "€".encode()
    binary = bytes(range(256))
    encoded = base64.b64encode(binary).decode()
    assert _read(_event(body=encoded, isBase64Encoded=True))[1] == binary


def test_each_request_has_its_own_copy_of_the_state():
    state = {"n": 1}
    scope, _ = _read(_event(), state)
    scope["state"]["n"] = 2
    assert state == {"n": 1}


def test_lambdas_context_is_an_extension_with_both_clocks():
    deadline_ms = int(time.time() * 1000) + 60_000
    context = _context(
        **{
            "lambda-runtime-deadline-ms": str(deadline_ms),
            "lambda-runtime-invoked-function-arn": "arn:x",
            "lambda-runtime-trace-id": "Root=1",
        }
    )
    scope, _ = read_event(_event(), context, {})
    seen = scope["extensions"]["aws.lambda"]
    assert seen["request_id"] == "r-1"
    assert seen["function_arn"] == "arn:x"
    assert seen["trace_id"] == "Root=1"
    assert seen["deadline_ms"] == deadline_ms
    assert abs(seen["deadline"] - time.monotonic() - 60) < 1


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": []},
        _event(requestContext={}),
        _event(rawPath=None, headers=[1]),
        _event(headers={"a": 1}),
        _event(body="%%%", isBase64Encoded=True),
        _event(body=7),
        _event(headers={"a": "\ud800"}),
    ],
)
def test_an_event_that_is_not_an_http_request_gets_an_error_that_says_why(event):
    with pytest.raises(BadEventError, match=r"payload format 2\.0"):
        _read(event)


def test_a_context_needs_a_request_id():
    with pytest.raises(ValueError, match="Request-Id"):
        Context.from_headers({})
