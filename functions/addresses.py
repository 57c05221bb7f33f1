"""Addresses of other servers, as settings have them."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is this machine's."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    address = urlsplit(value.strip())
    if address.scheme not in {"http", "https"} or not address.hostname or address.port == 0:
        raise ValueError("this is not an address such as https://example.com/v1")
    return address.geturl()


def _secure(value: object) -> object:
    address = _address(value)
    parts = urlsplit(str(address))
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise ValueError("this is not an https:// address (http:// for this machine only)")
    return address


Address = Annotated[str, BeforeValidator(_address)]
"""The address of a provider's API."""

SecureAddress = Annotated[str, BeforeValidator(_secure)]
"""An address that gets a secret: https, or this machine."""
