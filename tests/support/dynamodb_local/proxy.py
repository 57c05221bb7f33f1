"""A loopback proxy between a boto3 client and its engine, which fails in the ways that AWS does."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

Fault = Callable[["Handler", bytes], None]


def error(status: int, code: str, **more) -> Fault:
    """DynamoDB answers with an error."""

    def answer(handler: "Handler", _: bytes) -> None:
        body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected", **more}
        handler.answer(status, json.dumps(body).encode())

    return answer


def cut(handler: "Handler", _: bytes) -> None:
    """The connection breaks before the engine has seen the request."""
    handler.close()


def lose_answer(handler: "Handler", body: bytes) -> None:
    """The engine does what the request says, and its answer is lost."""
    handler.forward(body)
    handler.close()


def hang(handler: "Handler", _: bytes) -> None:
    """No answer comes until the client gives up."""
    handler.proxy.released.wait(30)
    handler.close()


def cut_body(handler: "Handler", body: bytes) -> None:
    """The connection breaks in the middle of the answer's body."""
    handler.answer(*handler.forward(body), part=0.5)
    handler.close()


def hang_body(handler: "Handler", body: bytes) -> None:
    """After half of the answer's body nothing comes until the client gives up."""
    handler.answer(*handler.forward(body), part=0.5)
    hang(handler, body)


FAULTS: dict[str, Fault] = {
    "500": error(500, "InternalServerError"),
    "503": error(503, "ServiceUnavailable"),
    "throttled": error(400, "ProvisionedThroughputExceededException"),
    "limited": error(400, "ThrottlingException"),
    "cut": cut,
    "lost answer": lose_answer,
    "hang": hang,
    "cut body": cut_body,
    "hang body": hang_body,
}


@dataclass
class Proxy:
    upstream: str
    faults: list[Fault] = field(default_factory=list)
    """One for each of the next requests. Those after them pass."""
    passing: int = 0
    """How many requests pass before the first fault."""
    always: Fault | None = None
    """The fault of every later request."""
    seen: int = 0
    held: int = 0
    hold: bool = False
    """Requests wait until `released` is set."""
    released: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    endpoint: str = ""
    engine: str = ""

    def next_fault(self) -> Fault | None:
        with self.arrived:
            self.seen += 1
            if self.passing:
                self.passing -= 1
                return None
            return self.faults.pop(0) if self.faults else self.always

    def wait_held(self, count: int, seconds: float = 20) -> bool:
        """Whether `count` requests waited at the same time before `seconds` were over."""
        with self.arrived:
            return self.arrived.wait_for(lambda: self.held >= count, seconds)

    def reset(self) -> None:
        self.faults, self.always, self.hold = [], None, False
        self.passing = self.seen = self.held = 0
        self.released = threading.Event()


class Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    pool: urllib3.PoolManager
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.proxy
        if proxy.hold:
            with proxy.arrived:
                proxy.held += 1
                proxy.arrived.notify_all()
            proxy.released.wait(30)
        fault = proxy.next_fault()
        if fault:
            fault(self, body)
            return
        self.answer(*self.forward(body))

    # S3 uses more methods than DynamoDB.
    do_PUT = do_GET = do_HEAD = do_POST  # noqa: N815

    def forward(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        answer = self.pool.request(
            self.command,
            self.proxy.upstream + self.path,
            body=body,
            headers=dict(self.headers),
            retries=False,
        )
        return answer.status, answer.data, dict(answer.headers)

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, part: float = 1
    ) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        length = str(len(body))
        if self.command == "HEAD":  # the length that a GET would have, and no body
            length, part = (headers or {}).get("Content-Length", length), 0
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body[: int(len(body) * part)])

    def close(self) -> None:
        self.close_connection = True

    def log_message(self, *_) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """Connections that wait to be accepted. With the default of 5, some of those that a whole pool
    opens at one time are dropped on a busy machine, and run into their timeout."""


@contextmanager
def proxying(upstream: str) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    handler = type("Bound", (Handler,), {"proxy": proxy, "pool": urllib3.PoolManager(maxsize=64)})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
