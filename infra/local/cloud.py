"""The table and the bucket on this machine, in moto."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.attachments import create_bucket
from functions.aws.clients import client
from functions.settings import Settings, forget_settings
from functions.store import create_table
from infra.local.transactions import undone_row_by_row

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HERE = "127.0.0.1,localhost"


class CloudError(Exception):
    """The table or the bucket could not be made. The message says what to check."""


@contextlib.contextmanager
def local_cloud(settings: Settings) -> Iterator[dict[str, str]]:
    """Start moto on a free port, make the table and the bucket, and set the environment.

    Yields the variables that it set, for processes that do not inherit them. When
    `AWS_ENDPOINT_URL` is set, that endpoint is used and moto is not started.
    """
    with contextlib.ExitStack() as stack:
        endpoint = settings.aws_endpoint_url or stack.enter_context(_moto())
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": settings.aws_region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "CHATKIT_TABLE": settings.table,
            "CHATKIT_ATTACHMENTS_BUCKET": settings.attachments_bucket,
            # This machine is never reached through a proxy.
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), HERE])),
            "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), HERE])),
        }
        os.environ.update(environment)
        os.environ.pop("AWS_PROFILE", None)  # moto needs no profile
        forget_settings()
        try:
            create_table(client("dynamodb"), settings.table)
            create_bucket(client("s3"), settings.attachments_bucket)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise CloudError(
                f"no table and bucket at {endpoint} ({type(error).__name__}): "
                "look at AWS_ENDPOINT_URL and AWS_REGION"
            ) from None
        yield environment


@contextlib.contextmanager
def _moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's log line for each request
    # Slow to import, and not always needed.
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    app = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with undone_row_by_row():
            yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _one_at_a_time(app: "WSGIApplication") -> "WSGIApplication":
    """Handle DynamoDB's requests one after the other: moto does not isolate transactions."""
    table = threading.Lock()

    def serial(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            return app(environ, start)
        with table:
            return app(environ, start)

    return serial
