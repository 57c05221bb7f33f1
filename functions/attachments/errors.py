"""What can be wrong with a file, in words for the person who sent it."""

from ..errors import PublicError


class AttachmentError(PublicError):
    """A file was refused. `message` is for the user and names no internals."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(status, message)
