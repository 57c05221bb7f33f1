"""The smoke test of a deployment: `python -m infra.cli.smoke URL`.

    $ python -m infra.cli.smoke https://d111111abcdef8.cloudfront.net

It sends the requests of a browser, needs only the standard library, and leaves nothing
behind but two anonymous visitors. Where people have to sign in, it
checks only the page, the issuer, and that both functions ask for a sign-in. Where visitors have to
solve a challenge first, it checks only the page, and that both functions ask for that.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TIMEOUT = 90
"""Seconds for one read: enough for a cold start and a slow first token."""

MIN_GAP = 0.01
"""Seconds between two pieces of an answer. The network may have split one piece into parts that
arrive closer together.
"""

MIN_PIECES = 3
"""Pieces of an answer that streams."""

Json = dict[str, Any]


class SmokeError(Exception):
    """What is wrong with the deployment, in one sentence."""


class Visitor:
    """A browser with a cookie, on the deployment's own page.

    It sends the hash of each body, which CloudFront needs, and the page's origin.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise SmokeError(f"{address!r} is not an address such as https://example.com")
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._cookie = ""

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, timeout=TIMEOUT)
        sent = {"accept-language": "en", **(headers or {})}
        if self._cookie:
            sent["cookie"] = self._cookie
        if body is not None:
            sent.setdefault("origin", self._origin)
            sent["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise SmokeError(f"{self._host} cannot be reached: {error}") from None
        self._keep_cookie(response)
        return response

    def post(self, path: str, document: Json, headers: dict[str, str] | None = None) -> Json:
        response = self.send(
            "POST",
            path,
            json.dumps(document).encode(),
            {"content-type": "application/json", **(headers or {})},
        )
        return _json(response, f"POST {path} {document.get('type', '')}".strip())

    def ask(self, operation: str, **params: Any) -> Json:
        return self.post("/chatkit", {"type": operation, "params": params})

    def stream(self, operation: str, **params: Any) -> "Stream":
        body = json.dumps({"type": operation, "params": params}).encode()
        headers = {"content-type": "application/json", "x-chatkit-run-id": str(uuid.uuid4())}
        response = self.send("POST", "/chatkit", body, headers)
        kind = response.headers.get("content-type", "")
        if response.status != 200 or not kind.startswith("text/event-stream"):  # noqa: PLR2004
            raise SmokeError(
                f"{operation} was answered {response.status} {kind}: {response.read(300)!r}"
            )
        return Stream(response)

    def _keep_cookie(self, response: HTTPResponse) -> None:
        for line in response.headers.get_all("set-cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self._cookie = f"{name}={morsel.value}"


class Stream:
    """A streamed answer: its events, and the number of pieces that its text arrived in."""

    def __init__(self, response: HTTPResponse) -> None:
        self.pieces = 0
        begun = time.monotonic()
        self.first_word: float | None = None
        whole = b""
        last = 0.0
        for piece in _pieces(response):
            now = time.monotonic()
            whole += piece
            if b'"delta"' in piece:
                self.pieces += now - last > MIN_GAP
                self.first_word = self.first_word or now - begun
                last = now
        lines = (line for line in whole.split(b"\n") if line.startswith(b"data: "))
        self.events = [json.loads(line[6:]) for line in lines]
        if self.events and self.events[-1]["type"] == "error":
            raise SmokeError(f"the model failed: {self.events[-1].get('message')}")

    @property
    def thread(self) -> str:
        for event in self.events:
            if event["type"] == "thread.created":
                return str(event["thread"]["id"])
        raise SmokeError("the answer made no thread")


def check_page(address: str) -> Json:
    """Check the page, an address within it and both functions' health; returns its config."""
    visitor = Visitor(address)
    for path in ("/", f"/c/{uuid.uuid4()}"):
        response = visitor.send("GET", path)
        page = response.read()
        if response.status != 200 or b"<html" not in page.lower():  # noqa: PLR2004
            raise SmokeError(f"GET {path} is not the page: {response.status}")
    config = _json(visitor.send("GET", "/config.json"), "GET /config.json")
    for function in ("chat", "actions"):
        path = urlsplit(config["api"][function]).path
        _json(visitor.send("GET", f"{path}/health"), f"GET {path}/health")
    return config


def check_signed_out(visitor: Visitor) -> str:
    """Check that both functions ask a visitor without a token to sign in."""
    for path in ("/chatkit/session", "/actions/cancel"):
        response = visitor.send("POST", path, b"{}", {"content-type": "application/json"})
        body = response.read()
        if response.status != 401 or "message" not in json.loads(body or b"{}"):  # noqa: PLR2004
            raise SmokeError(f"POST {path} without a token was answered {response.status}")
    return "401 with a message; the rest needs somebody who signs in: try the page"


def check_challenge(visitor: Visitor) -> str:
    """Check that both functions ask a new visitor for a challenge."""
    for path in ("/chatkit/session", "/actions/cancel"):
        response = visitor.send("POST", path, b"{}", {"content-type": "application/json"})
        body = json.loads(response.read() or b"{}")
        if response.status != 401 or body.get("code") != "challenge_required":  # noqa: PLR2004
            raise SmokeError(f"POST {path} without a challenge was answered {response.status}")
    return "401 for whoever is new; the rest needs a person who solves it: try the page"


def check_issuer(address: str, sign_in: Json) -> str:
    """Check that the issuer lets people who come from this page sign in."""
    issuer = Visitor(sign_in["issuer"])
    place = f"{urlsplit(sign_in['issuer']).path.rstrip('/')}/.well-known/openid-configuration"
    endpoint = _json(issuer.send("GET", place), "the issuer's metadata")["authorization_endpoint"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(uuid.uuid4().bytes).digest()).rstrip(b"=")
    asked = {
        "client_id": sign_in["clientId"],
        "redirect_uri": f"{address}/signed-in",
        "response_type": "code",
        "scope": sign_in["scope"],
        "state": str(uuid.uuid4()),
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    query = "&".join(filter(None, [urlsplit(endpoint).query, urlencode(asked)]))
    response = Visitor(endpoint).send("GET", f"{urlsplit(endpoint).path}?{query}")
    leads_to = response.headers.get("location", "")
    if response.status >= 400 or "error" in parse_qs(urlsplit(leads_to).query):  # noqa: PLR2004
        raise SmokeError(
            f"the issuer refuses sign-in from {address}: {response.status} {leads_to}".strip()
        )
    return f"{urlsplit(endpoint).netloc} asks who it is"


def check_errors(visitor: Visitor) -> str:
    """Check that errors arrive as JSON and not as the page, and that other sites are refused."""
    asked = {"type": "threads.get_by_id", "params": {"thread_id": "thr_none"}}
    for what, expected, headers in (
        ("an unknown thread", 404, {}),
        ("a page on another site", 403, {"origin": "https://another-site.example"}),
    ):
        response = visitor.send(
            "POST",
            "/chatkit",
            json.dumps(asked).encode(),
            {"content-type": "application/json", **headers},
        )
        body = response.read()
        if response.status != expected or "message" not in json.loads(body or b"{}"):
            raise SmokeError(f"{what} was answered {response.status}: {body[:200]!r}")
    return "404 and 403 with a message"


def check_stream(visitor: Visitor) -> tuple[str, str]:
    """Check that an answer arrives in several pieces, and is stored."""
    stream = visitor.stream("threads.create", input=_message("Hello! What can you do?"))
    if stream.pieces < MIN_PIECES:
        raise SmokeError(f"the answer came in {stream.pieces} pieces: something buffers it")
    items = visitor.ask("items.list", thread_id=stream.thread, limit=20, order="asc")["data"]
    if not any(item["type"] == "assistant_message" for item in items):
        raise SmokeError("the answer was not stored")
    first = stream.first_word or 0.0
    return stream.thread, f"{stream.pieces} pieces, the first word after {first:.2f} s"


def check_upload(visitor: Visitor, thread: str) -> str:
    """Check that a file can be uploaded to S3 by its signed URL, once, and sent with a message."""
    picture = _png()
    file = visitor.ask(
        "attachments.create", name="smoke.png", size=len(picture), mime_type="image/png"
    )
    for what, expected in (("the upload", 200), ("a second upload by the same link", 412)):
        status, said = _put(file["upload_descriptor"], picture)
        if status != expected:
            raise SmokeError(f"{what} was answered {status}: {said!r}")
    visitor.stream(
        "threads.add_user_message",
        thread_id=thread,
        input=_message("Here is a picture.", attachments=[file["id"]]),
    )
    items = visitor.ask("items.list", thread_id=thread, limit=20, order="desc")["data"]
    kept = [f["id"] for i in items if i["type"] == "user_message" for f in i["attachments"]]
    if file["id"] not in kept:
        raise SmokeError("the message lost its file")
    return f"{len(picture)} bytes"


def _put(upload: Json, data: bytes) -> tuple[int, bytes]:
    """Upload `data` as the answer to `attachments.create` says; the status, and what S3 says."""
    target = urlsplit(upload["url"])
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = kind(target.netloc, timeout=TIMEOUT)
    connection.request(
        upload["method"], f"{target.path}?{target.query}", data, upload.get("headers") or {}
    )
    response = connection.getresponse()
    return response.status, response.read(300)


def check_stranger(stranger: Visitor, thread: str) -> str:
    """Check that another visitor sees no thread of ours, neither in the list nor by its id."""
    stranger.post("/chatkit/session", {})
    seen = [entry["id"] for entry in stranger.ask("threads.list", limit=50)["data"]]
    if thread in seen:
        raise SmokeError("a stranger sees our thread in their list")
    for operation in ("threads.get_by_id", "items.list"):
        response = stranger.send(
            "POST",
            "/chatkit",
            json.dumps({"type": operation, "params": {"thread_id": thread}}).encode(),
            {"content-type": "application/json"},
        )
        answer = json.loads(response.read() or b"{}")
        if response.status == 200 and answer.get("data") != []:  # noqa: PLR2004
            raise SmokeError(f"a stranger reads our thread by {operation}")
    return "sees nothing"


def smoke(address: str, say: Callable[[str], object]) -> None:
    """Run all checks in order. Raises `SmokeError` at the first one that fails."""
    try:
        _check(address, say)
    except (OSError, HTTPException) as error:
        raise SmokeError(f"a connection failed: {type(error).__name__} {error}") from None
    except (LookupError, TypeError, ValueError) as error:
        raise SmokeError(f"an answer is not ChatKit's: {type(error).__name__} {error}") from error


def _check(address: str, say: Callable[[str], object]) -> None:
    visitor = Visitor(address)
    stranger = Visitor(address)
    config = check_page(address)
    say(f"page       model {config['model']['name']}")
    sign_in = config.get("signIn") or {}
    if "issuer" in sign_in:
        say(f"issuer     {check_issuer(address, sign_in)}")
    if not config.get("anonymous", True):
        say(f"sign-in    {check_signed_out(visitor)}")
        return
    if config.get("challenge"):
        say(f"challenge  {check_challenge(visitor)}")
        return
    visitor.post("/chatkit/session", {})
    say(f"errors     {check_errors(visitor)}")
    thread, streamed = check_stream(visitor)
    say(f"answer     {streamed}")
    say(f"file       {check_upload(visitor, thread)}")
    say(f"stranger   {check_stranger(stranger, thread)}")
    visitor.ask("threads.delete", thread_id=thread)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.cli.smoke")
    parser.add_argument("address", help="of the page, such as https://example.com")
    address = parser.parse_args().address.rstrip("/")
    try:
        smoke(address, lambda line: sys.stdout.write(f"  ok  {line}\n"))
    except SmokeError as error:
        sys.exit(f"  FAILED  {error}")


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read1(65536):
            yield piece
    except (OSError, HTTPException) as error:
        raise SmokeError(f"the stream broke off: {error}") from None


def _json(response: HTTPResponse, what: str) -> Json:
    body = response.read()
    if response.status // 100 != 2:  # noqa: PLR2004
        raise SmokeError(f"{what} was answered {response.status}: {body[:300]!r}")
    try:
        document: Json = json.loads(body)
    except ValueError:
        raise SmokeError(f"{what} is not JSON: {body[:100]!r}") from None
    return document


def _message(text: str, **more: Any) -> Json:
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
        **more,
    }


def _png() -> bytes:
    """A red square of 8 by 8 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = b"".join(b"\x00" + b"\xff\x00\x00" * 8 for _ in range(8))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


if __name__ == "__main__":
    main()
