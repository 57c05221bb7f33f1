"""moto in this process, behind HTTP on a free port of the loopback interface.

Any website that a browser has open can send requests to a port of this machine. So moto answers
no request that names an `Origin`, and none without the access key id of this process,
which is random. Only the page of `make lambda` may follow signed links: those of `make dev` lead
through its own port (`infra.local.links`).
"""

import contextlib
import functools
import logging
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.local.transactions import undone_row_by_row

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Row = dict[str, Any]

ACCESS_KEY_ID = f"LOCAL{secrets.token_hex(12).upper()}"
"""One for the process, because boto3 keeps the first key that it reads."""

_CREDENTIAL = re.compile(r"(?:Credential=|X-Amz-Credential=)(\w+)(?:/|%2F)")


@dataclass
class MotoServer:
    """The running server, and what changed in its table and its bucket."""

    region: str
    endpoint: str = ""
    page_origins: frozenset[str] = frozenset()
    """Origins whose pages may follow signed links."""
    _table: threading.Lock = field(default_factory=threading.Lock)
    _bucket_changed: threading.Event = field(default_factory=threading.Event)

    def forget_changes(self, table: str) -> None:
        """Empty the table's stream: what was restored is nothing that has happened. Call it before
        anybody reads the stream.
        """
        self._moto_table(table).stream_shard.items.clear()

    def changed_rows(self, table: str, since: int) -> tuple[int, dict[tuple[str, str], Row | None]]:
        """The number of changes so far, and each row changed after the first `since` of them.

        A deleted row is None. Call it while `table_held`.
        """
        from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415 - slow to import

        found = self._moto_table(table)
        records = found.stream_shard.items[since:]
        rows: dict[tuple[str, str], Row | None] = {}
        for record in records:
            key = record.record["dynamodb"]["Keys"]
            row = found.get_item(DynamoType(key["pk"]), DynamoType(key["sk"]))
            rows[key["pk"]["S"], key["sk"]["S"]] = row and row.to_json()["Attributes"]
        return since + len(records), rows

    @contextlib.contextmanager
    def table_held(self) -> Iterator[None]:
        """While this is open, no request reads or changes the table."""
        with self._table:
            yield

    def bucket_changed(self) -> None:
        self._bucket_changed.set()

    def take_bucket_changed(self) -> bool:
        """Whether an object was written or deleted since the last call."""
        if not self._bucket_changed.is_set():
            return False
        self._bucket_changed.clear()
        return True

    def guarded(self, app: "WSGIApplication") -> "WSGIApplication":
        """`app` behind the checks of this module, with the table's requests one at a time.

        moto does not isolate transactions.
        """

        def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
            if not self._may_ask(environ):
                start("403 Forbidden", [("content-type", "text/plain")])
                return [b"Only `make dev` itself and its commands may call this.\n"]
            target = environ.get("HTTP_X_AMZ_TARGET", "")
            if target.startswith("DynamoDB_"):
                with self._table:
                    return app(environ, start)
            response = app(environ, start)
            of_objects = not target and "/s3vectors/" not in environ.get("HTTP_AUTHORIZATION", "")
            if of_objects and environ["REQUEST_METHOD"] in {"PUT", "POST", "DELETE"}:
                self.bucket_changed()
            return response

        return answer

    def _may_ask(self, environ: "WSGIEnvironment") -> bool:
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return _signed_here(environ)
        if origin not in self.page_origins:
            return False
        # A link is signed in its query. Other services than S3 take requests with these headers.
        if "HTTP_X_AMZ_TARGET" in environ or "HTTP_AUTHORIZATION" in environ:
            return False
        asks_whether_it_may = environ["REQUEST_METHOD"] == "OPTIONS"  # never signed
        return asks_whether_it_may or _signed_here(environ)

    def _moto_table(self, name: str) -> Any:
        # Slow to import, and not always needed.
        from moto.core.models import DEFAULT_ACCOUNT_ID  # noqa: PLC0415
        from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

        return dynamodb_backends[DEFAULT_ACCOUNT_ID][self.region].get_table(name)


def _signed_here(environ: "WSGIEnvironment") -> bool:
    signed = environ.get("HTTP_AUTHORIZATION", "") or environ.get("QUERY_STRING", "")
    found = _CREDENTIAL.search(signed)
    return found is not None and secrets.compare_digest(found[1], ACCESS_KEY_ID)


@contextlib.contextmanager
def moto_server(region: str, page_port: str | None = None) -> Iterator[MotoServer]:
    """Serve moto while this is open. The page on `page_port` of this machine may follow links."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's log line for each request
    # Slow to import, and not always needed.
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    from infra.local.vectors import searchable_vectors  # noqa: PLC0415

    names = ("127.0.0.1", "localhost", "[::1]") if page_port else ()
    moto = MotoServer(
        region, page_origins=frozenset(f"http://{name}:{page_port}" for name in names)
    )
    dispatcher = DomainDispatcherApplication(create_backend_app)
    # moto lists its folders for each request, to find the service that is meant.
    found = functools.cache(dispatcher.get_backend_for_host)
    dispatcher.get_backend_for_host = found  # type: ignore[method-assign]
    app = moto.guarded(dispatcher)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    moto.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with undone_row_by_row(), searchable_vectors():
            yield moto
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
