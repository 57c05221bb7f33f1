"""Documents as titled blocks of text: one module for each type of file."""

from .blocks import Block, Read, UnreadableError

__all__ = ["Block", "Read", "UnreadableError", "read"]


def read(data: bytes, name: str) -> Read:
    """The text of a document. `name` is its path or the name of its file; the ending says what type
    it claims to be.

    It starts a process, and returns when that has ended, after two minutes at most: call it in a
    thread. It raises `UnreadableError` for a document that cannot be read.
    """
    raise NotImplementedError
