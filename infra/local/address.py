"""The URLs at which a server on this machine is reached."""

import socket

MAX_PORT = 65_535

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the person asked for it
"""Hosts that listen on every address, and the address by which this machine reaches them."""


def url_of(host: str, port: str | int) -> str:
    """The URL at which this machine reaches a server that listens on `host`."""
    host = EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def address_in_the_network() -> str:
    """The address by which other devices reach this machine; its name when it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses a route
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
