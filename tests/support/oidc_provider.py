"""A real OpenID Connect issuer on loopback, npm's oidc-provider, which tests can give orders to."""

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from infra.local.demo_issuer import DISTANCE, issuer_of, running, variables
from tests.support.dev import free_port

SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass
class Issuer:
    """The issuer of a page, while it runs."""

    url: str
    variables: dict[str, str]
    """The settings of a server whose people sign in there."""
    process: Popen[str]

    def order(self, **orders):
        """See `oidc_provider.mjs`."""
        self.process.stdin.write(json.dumps(orders) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextlib.contextmanager
def oidc_provider(port: int) -> Iterator[Issuer]:
    """The issuer of a page on the port `port`."""
    page = str(port)
    with running(page, [f"http://127.0.0.1:{page}"], SCRIPT) as process:
        yield Issuer(issuer_of(page), variables(page), process)


def free_port_for_both():
    """A free port for a page, with a free one for its issuer."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError, OverflowError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + DISTANCE))
            return port
