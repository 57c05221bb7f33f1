"""For a `ChatKitServer` of your own: partial answers that are kept, feedback, a check of files."""

from .cancelled import keep_cancelled
from .files import check_files
from .mixin import ServerMixin

__all__ = ["ServerMixin", "check_files", "keep_cancelled"]
