"""What can be wrong with a file, in words for the person who sent it."""


class AttachmentError(Exception):
    """A file was refused. `message` is for the user and names no internals."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
