"""`SIGN_IN=demo`: an issuer on loopback with three made-up people, for make dev and make lambda.

The issuer is `demo_issuer.mjs`, npm's oidc-provider. Its port follows from the page's, because an
issuer's address is part of who somebody is: with another one, everybody would have an empty
history after a restart.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.local.address import MAX_PORT, url_of
from infra.local.setup import node_folder

DISTANCE = 100
"""The issuer's port is the page's port and this."""

CLIENT_ID = "chatkit-demo"
AUDIENCE = "urn:chatkit-serverless:demo"
VITE = "http://localhost:5173"

SCRIPT = Path(__file__).with_suffix(".mjs")


class DemoIssuerError(Exception):
    """The issuer did not start. The message says what to do."""


def issuer_of(port: str) -> str:
    """The address of the issuer that belongs to the page on this port."""
    return f"http://127.0.0.1:{int(port) + DISTANCE}"


def variables(port: str) -> dict[str, str]:
    """The settings with which a server on this port knows the demo's people."""
    return {
        "CHATKIT_AUTH": "oidc",
        "CHATKIT_OIDC_ISSUER": issuer_of(port),
        "CHATKIT_OIDC_CLIENT_ID": CLIENT_ID,
        "CHATKIT_OIDC_AUDIENCE": AUDIENCE,
        "CHATKIT_OIDC_TOKEN": "access",
        "CHATKIT_OIDC_SCOPES": "openid profile email",
        "CHATKIT_OIDC_USER_CLAIM": "sub",
        "CHATKIT_OIDC_NAME_CLAIM": "name",
        "CHATKIT_OIDC_ROLES_CLAIM": "roles",
        "CHATKIT_OIDC_TENANT_CLAIM": "organization",
    }


@contextlib.contextmanager
def demo_issuer(host: str, port: str) -> Iterator[None]:
    """Run the issuer of the page on this port, and set the environment of this process for it.

    Raises `DemoIssuerError`.
    """
    pages = {f"http://127.0.0.1:{port}", f"http://localhost:{port}", url_of(host, port), VITE}
    with running(port, pages):
        os.environ.update(variables(port))
        yield


@contextlib.contextmanager
def running(
    port: str, pages: Iterable[str], script: Path = SCRIPT
) -> Iterator[subprocess.Popen[str]]:
    """Run the issuer of the page on this port by this script. Pages of these origins may use it.

    Yields its process, with pipes to its standard input and output. Raises `DemoIssuerError`.
    """
    own_port = int(port) + DISTANCE
    unusable = f"SIGN_IN=demo needs port {own_port}, too, which cannot be had. Choose another PORT."
    if own_port > MAX_PORT:
        raise DemoIssuerError(unusable)
    options = {
        "port": own_port,
        "clientId": CLIENT_ID,
        "audience": AUDIENCE,
        "pages": sorted(pages),
    }
    node = shutil.which("node", path=node_folder())
    process = subprocess.Popen(  # noqa: S603 - our own scripts
        [node or "node", script, json.dumps(options)],
        # The issuer ends when this is closed, also when this process is killed.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    try:
        said = process.stdout.readline().strip() if process.stdout else ""
        if said != issuer_of(port):
            why = f"the issuer of SIGN_IN=demo did not start: {said or 'see above'}"
            raise DemoIssuerError(unusable if said == "EADDRINUSE" else why)
        yield process
    finally:
        process.terminate()
        process.communicate()
