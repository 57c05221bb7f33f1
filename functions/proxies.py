"""The proxies that the environment asks for."""

import os
import ssl
from typing import Final

import httpx2

VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def check_proxies() -> None:
    """Raise `ValueError` when they cannot be used: no provider and no issuer could be asked.

    The message names the variables and not their values, which may have a password.
    """
    try:
        # Without authorities' certificates, because reading them takes long.
        httpx2.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).close()
    except ImportError:
        raise ValueError(
            f"{_names()}: a SOCKS proxy needs the package socksio in .venv "
            "(requirements/functions.txt when it is deployed). An http:// proxy needs nothing."
        ) from None
    except (ValueError, httpx2.InvalidURL):
        raise ValueError(
            f"{_names()}: this proxy cannot be used. An address is like http://127.0.0.1:3128"
        ) from None


def _names() -> str:
    return ", ".join(name for name in os.environ if name.upper() in VARIABLES)
