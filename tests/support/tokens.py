"""Tokens of anonymous users as the server signs them, or as nobody should."""

import hashlib
from datetime import UTC, datetime, timedelta

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.support.person import KEY


def session_token(purpose, *, user="anon_1", key=KEY, age=timedelta(0)):
    """A token for a purpose, or for any text in place of one, signed `age` ago."""
    signed_at = int((datetime.now(UTC) - age).timestamp())

    class Signer(TimestampSigner):
        def get_timestamp(self):
            return signed_at

    return URLSafeTimedSerializer(
        key,
        salt=getattr(purpose, "salt", purpose),
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    ).dumps(user)
