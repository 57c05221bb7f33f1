"""A server of models as Amazon Bedrock's: it takes requests that AWS credentials have signed.

It computes each signature again with botocore, from what arrived, and refuses every other one.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.openai_server import OpenAIServer

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class BedrockServer:
    """Serves `model` under `/openai/v1`, which is where OpenAI's API is on Bedrock.

    `credentials` holds those that it knows, by their key ids. `allows` may refuse a request that is
    signed well, by its body.
    """

    def __init__(
        self,
        model: OpenAIServer,
        *credentials: Credentials,
        allows: Callable[[dict], bool] = lambda _: True,
    ) -> None:
        self.model = model
        self.credentials = {each.access_key: each for each in credentials}
        self.allows = allows
        self.signed: list[tuple[str, str, str]] = []
        """Key id, region and service of each signature that was right."""
        self.refused = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.model.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event["body"], event.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if not self._is_signed(scope, headers, body) or not self.allows(json.loads(body)):
            self.refused += 1
            await _refuse(send)
            return
        begun = False

        async def again():
            nonlocal begun
            if begun:
                return await receive()
            begun = True
            return {"type": "http.request", "body": body}

        path = scope["path"].removeprefix("/openai")
        await self.model.app({**scope, "path": path, "raw_path": path.encode()}, again, send)

    def _is_signed(self, scope, headers: dict[str, str], body: bytes) -> bool:
        signed = _SIGNED.fullmatch(headers.get("authorization", ""))
        credentials = self.credentials.get(signed["key"]) if signed else None
        if signed is None or credentials is None:
            return False
        date = headers["x-amz-date"]
        age = datetime.now(UTC) - datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        names = signed["headers"].split(";")
        request = AWSRequest(
            method=scope["method"],
            url=f"http://{headers['host']}{scope['path']}",
            data=body,
            headers={name: headers[name] for name in names},
        )
        request.context["timestamp"] = date
        auth = SigV4Auth(credentials, signed["service"], signed["region"])
        text = auth.string_to_sign(request, auth.canonical_request(request))
        right = (
            auth.signature(text, request) == signed["signature"]
            and {"host", "x-amz-date", "x-amz-content-sha256"} <= {*names}
            and headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
            and headers.get("x-amz-security-token") == credentials.token
            and (credentials.token is None or "x-amz-security-token" in names)
            and abs(age.total_seconds()) < 300
        )
        if right:
            self.signed.append((signed["key"], signed["region"], signed["service"]))
        return right


async def _refuse(send) -> None:
    message = "The request signature we calculated does not match, or access is denied."
    body = json.dumps({"error": {"message": message, "code": "access_denied"}}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
