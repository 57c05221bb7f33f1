"""What the tests of sign-in send."""

from tests.support.issuer import bearer

REFUSED = {
    "no token": ({}, "Please sign in."),
    "no token in the header": ({"x-chatkit-authorization": "Bearer"}, "not valid here"),
    "another scheme": ({"x-chatkit-authorization": "Basic YTpi"}, "not valid here"),
    "a malformed token": (bearer("a.b.c"), "not valid here"),
    "CloudFront's own signature": (
        {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/1, Signature=00"},
        "Please sign in.",
    ),
}


def session(chat, headers=None):
    """Ask who the sender is."""
    return chat.http.post("/chatkit/session", headers=headers)
