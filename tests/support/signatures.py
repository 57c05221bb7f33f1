"""Checks the signature of a request as AWS does: botocore computes it again from what arrived."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signature:
    """Who has signed a request, for which region and service, and which of its headers."""

    key: str
    region: str
    service: str
    headers: frozenset[str]


def signature_of(scope, body: bytes, known: Mapping[str, Credentials]) -> Signature | None:
    """The signature of an ASGI request; None when none of these credentials has made it.

    `known` has the credentials by their key ids.
    """
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    signed = _SIGNED.fullmatch(headers.get("authorization", ""))
    credentials = known.get(signed["key"]) if signed else None
    if signed is None or credentials is None:
        return None
    date, names = headers["x-amz-date"], frozenset(signed["headers"].split(";"))
    age = datetime.now(UTC) - datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    request = AWSRequest(
        method=scope["method"],
        url=f"http://{headers['host']}{scope['raw_path'].decode()}",
        data=body,
        headers={name: headers[name] for name in names},
    )
    request.context["timestamp"] = date
    auth = SigV4Auth(credentials, signed["service"], signed["region"])
    text = auth.string_to_sign(request, auth.canonical_request(request))
    right = (
        auth.signature(text, request) == signed["signature"]
        and {"host", "x-amz-date"} <= names
        and headers.get("x-amz-security-token") == credentials.token
        and (credentials.token is None or "x-amz-security-token" in names)
        and abs(age.total_seconds()) < 300
    )
    return Signature(signed["key"], signed["region"], signed["service"], names) if right else None
