"""A refusal that a visitor reads."""


class ActionError(Exception):
    """What was asked for cannot be done, and nothing was changed.

    `status` is a 4xx, `message` the sentence that the visitor reads: as JSON
    where an answer has not begun, as an error event where it has.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
