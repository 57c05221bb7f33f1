"""The error for a file that cannot be accepted."""

from ..errors import PublicError


class AttachmentError(PublicError):
    """A file was rejected. `message` is a sentence for the person who sent it."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(status, message)
