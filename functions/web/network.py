"""The network that a request came from, as a keyed digest: the limits of networks need no address.

An IPv6 customer has a /64 or more, and an IPv4 address is soon another one of the same /24. There
are so few IPv4 networks that a digest without a key could be tried out.
"""

import hashlib
import hmac
from ipaddress import ip_address, ip_network

from starlette.requests import Request

from ..settings import Settings
from .identity.signing_key import SigningKeys
from .viewer import viewer_ip

PREFIX_LENGTHS = {4: 24, 6: 64}


async def network_of(request: Request, settings: Settings, keys: SigningKeys) -> str | None:
    """32 hex digits; `None` where CloudFront is not in front, since anybody could write the header.

    Raises `PublicError` (424) when the key cannot be read. After a rotation of the keys the
    networks are counted anew.
    """
    address = viewer_ip(request, settings)
    if address is None:
        return None
    key = (await keys.current())[0]
    return hmac.digest(key.encode(), _network(address).encode(), hashlib.sha256).hex()[:32]


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"  # all of them together
    if parsed.version == 6 and parsed.ipv4_mapped is not None:  # noqa: PLR2004 - of IP
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, PREFIX_LENGTHS[parsed.version]), strict=False))
