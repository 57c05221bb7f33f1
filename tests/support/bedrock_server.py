"""A server of models as Amazon Bedrock's. It takes only requests that are signed for AWS."""

import hashlib
import json
from collections.abc import Callable

from botocore.credentials import Credentials

from tests.support.openai_server import OpenAIServer
from tests.support.signatures import signature_of


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
        if not self._is_signed(scope, body) or not self.allows(json.loads(body)):
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

    def _is_signed(self, scope, body: bytes) -> bool:
        signature = signature_of(scope, body, self.credentials)
        sent = dict(scope["headers"]).get(b"x-amz-content-sha256", b"").decode()
        right = (
            signature is not None
            and "x-amz-content-sha256" in signature.headers
            and sent == hashlib.sha256(body).hexdigest()
        )
        if right:
            self.signed.append((signature.key, signature.region, signature.service))
        return right


async def _refuse(send) -> None:
    message = "The request signature we calculated does not match, or access is denied."
    body = json.dumps({"error": {"message": message, "code": "access_denied"}}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
