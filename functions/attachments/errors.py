"""The error for a file that cannot be accepted."""

from ..errors import PublicError


class AttachmentError(PublicError):
    """A file was rejected. `message` is a sentence for the person who sent it.

    `status` says what is wrong: 413 with its size, 415 with its type or its content, 409 with its
    upload, which has not happened or does not fit what was announced, and 422 with anything else.
    All are final: ChatKit's element sends a request again only after a 5xx.
    """

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(status, message)
