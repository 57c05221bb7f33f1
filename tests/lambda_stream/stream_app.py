"""An ASGI app for the tests of `lambda_stream`: one path, one behaviour."""

import asyncio
import gc
import json
import logging
import os
import threading
import time

LIFE = {"started": 0, "requests": 0, "after": 0, "loops": set()}


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    LIFE["requests"] += 1
    LIFE["loops"].add(id(asyncio.get_running_loop()))
    await PATHS.get(scope["path"], _missing)(scope, receive, send)


async def _lifespan(scope, receive, send):
    await receive()
    LIFE["started"] += 1
    scope["state"]["greeting"] = "hello"
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("shut down cleanly", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


def _context(scope):
    return scope["extensions"]["aws.lambda"]


async def _start(send, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


async def _body(send, body=b"", *, more=False):
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _json(send, document, headers=()):
    await _start(send, 200, [(b"content-type", b"application/json"), *headers])
    await _body(send, json.dumps(document).encode())


async def echo(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await _json(
        send,
        {
            "method": scope["method"],
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode(),
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in scope["headers"]],
            "client": scope["client"],
            "server": scope["server"],
            "scheme": scope["scheme"],
            "root_path": scope["root_path"],
            "state": scope["state"],
            "body": body.hex(),
            "request_id": _context(scope)["request_id"],
            "arn": _context(scope)["function_arn"],
            "deadline_ms": _context(scope)["deadline_ms"],
            "remaining_ms": 1000 * (_context(scope)["deadline"] - time.monotonic()),
            "trace_id": _context(scope)["trace_id"],
            "trace_variable": os.environ.get("_X_AMZN_TRACE_ID"),
        },
    )


async def events(scope, receive, send):
    """`?<count>`: streams so many events."""
    count = int(scope["query_string"] or 3)
    await _start(send, 200, [(b"content-type", b"text/event-stream")])
    for number in range(count):
        await _body(send, b"data: %d\n\n" % number, more=True)
        await asyncio.sleep(0)
    await _body(send)


async def gate(scope, receive, send):
    """Streams one event, waits for the file in the query to exist, then ends."""
    await _start(send, 200, [(b"content-type", b"text/event-stream")])
    await _body(send, b"data: first\n\n", more=True)
    path = scope["query_string"].decode()
    while not os.path.exists(path):  # noqa: ASYNC110, ASYNC240, PTH110
        await asyncio.sleep(0.005)
    await _body(send, b"data: last\n\n")
    with open(path + ".done", "w") as file:  # noqa: ASYNC230, PTH123
        file.write("done")


async def megabytes(scope, receive, send):
    """`?<count>,<size>`: streams `count` chunks of `size` bytes."""
    count, size = map(int, scope["query_string"].split(b","))
    await _start(send, 200, [(b"content-type", b"application/octet-stream")])
    chunk = bytes(range(256)) * (size // 256)
    for _ in range(count):
        await _body(send, chunk, more=True)
    await _body(send)


async def cookies(scope, receive, send):
    headers = [
        (b"content-type", b"text/plain"),
        (b"set-cookie", b"a=1; Path=/"),
        (b"set-cookie", b"b=2; HttpOnly"),
        (b"vary", b"Origin"),
        (b"Vary", b"Cookie"),
        (b"connection", b"keep-alive"),
    ]
    await _start(send, 201, headers)
    await _body(send, b"ok")


async def empty(scope, receive, send):
    status = int(scope["query_string"] or 200)
    await _start(send, status, [(b"content-length", b"0")])
    await _body(send)


async def sized(scope, receive, send):
    await _start(send, 200, [(b"content-length", b"5"), (b"content-type", b"text/plain")])
    await _body(send, b"12345")


async def raise_before(scope, receive, send):
    raise ValueError("secret detail")


async def raise_during(scope, receive, send):
    await _start(send, 200, [(b"content-type", b"text/event-stream")])
    await _body(send, b"data: half\n\n", more=True)
    raise ValueError("broke in the middle")


async def never_ends_answer(scope, receive, send):
    await _start(send, 200)
    await _body(send, b"half", more=True)


async def says_nothing(scope, receive, send):
    return


async def exits(scope, receive, send):
    raise SystemExit(3)


async def cancels_itself(scope, receive, send):
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


async def dies(scope, receive, send):
    await _start(send, 200)
    await _body(send, b"data: half\n\n", more=True)
    os._exit(9)


async def hangs(scope, receive, send):
    await _start(send, 200)
    await _body(send, b"data: half\n\n", more=True)
    await asyncio.sleep(3600)


async def big_headers(scope, receive, send):
    await _start(send, 200, [(b"x-big", b"x" * 20_000)])
    await _body(send, b"ok")


async def bad_order(scope, receive, send):
    await _body(send, b"no start")


async def disconnect(scope, receive, send):
    """Waits for `http.disconnect`, which comes only after the answer is complete."""
    await receive()
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0.01)
    early = waiting.done()
    await _start(send, 200, [(b"content-type", b"text/plain")])
    await _body(send, b"early" if early else b"waiting")
    print("then", (await waiting)["type"], flush=True)


async def background(scope, receive, send):
    """Works after the answer, like Starlette's background tasks."""
    await _json(send, {"after": LIFE["after"]})
    await asyncio.sleep(0.05)
    LIFE["after"] += 1


async def two_tasks(scope, receive, send):
    """Sends one answer from two tasks. Each of their chunks must arrive whole."""
    await _start(send, 200, [(b"content-type", b"text/plain")])

    async def write(letter):
        for _ in range(200):
            await _body(send, letter * 30_000 + b"\n", more=True)
            await asyncio.sleep(0)

    await asyncio.gather(write(b"a"), write(b"b"))
    await _body(send)


async def gives_up_writing(scope, receive, send):
    """Cancels a write half-way, after which the answer cannot be continued."""
    await _start(send, 200, [(b"content-type", b"text/plain")])
    try:
        async with asyncio.timeout(0.2):
            while True:
                await _body(send, b"x" * 1_000_000, more=True)
    except TimeoutError:
        await _body(send, b"and on")


async def log(scope, receive, send):
    logging.getLogger("app").warning("two\nlines", extra={"color": "green"})
    await _json(send, {"request_id": _context(scope)["request_id"]})


async def life(scope, receive, send):
    gc.collect()
    with open("/proc/self/statm") as file:  # noqa: ASYNC230, PTH123
        pages = int(file.read().split()[1])
    await _json(
        send,
        {
            "started": LIFE["started"],
            "requests": LIFE["requests"],
            "loops": len(LIFE["loops"]),
            "threads": threading.active_count(),
            "sockets": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
            "tasks": len(asyncio.all_tasks()),
            "rss": pages * 4096,
            "time": time.time(),
        },
    )


async def _missing(scope, receive, send):
    await _start(send, 404)
    await _body(send, b"no such path")


PATHS = {
    f"/{name.replace('_', '-')}": function
    for name, function in list(globals().items())
    if asyncio.iscoroutinefunction(function) and not name.startswith("_") and name != "app"
}
