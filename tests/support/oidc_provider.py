"""A real OpenID Connect issuer on loopback, npm's oidc-provider, which tests can give orders to."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from infra.local.demo_issuer import AUDIENCE, CLIENT_ID, DISTANCE, issuer_of, variables
from infra.local.setup import node_folder
from tests.support.dev import free_port

SCRIPT = Path(__file__).with_suffix(".mjs")


class Issuer:
    """The issuer of a page on the port `port`, while this is open."""

    def __init__(self, port):
        self.port = port
        self.url = issuer_of(str(port))
        self.variables = variables(str(port))

    def __enter__(self):
        options = {
            "port": self.port + DISTANCE,
            "clientId": CLIENT_ID,
            "audience": AUDIENCE,
            "pages": [f"http://127.0.0.1:{self.port}"],
        }
        self._process = subprocess.Popen(
            [shutil.which("node", path=node_folder()), SCRIPT, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )
        assert self._process.stdout.readline().strip() == self.url
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.communicate()

    def order(self, **orders):
        """See `oidc_provider.mjs`."""
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


def free_port_for_both():
    """A free port for a page, with a free one for its issuer."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError, OverflowError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + DISTANCE))
            return port
