"""Tests of an assistant: see docs/testing.md.

Everything runs in this process, without sockets, a key or AWS. What is here is not shipped. It
drives the engine from above, and only tests and `make eval` import it.
"""

from ..default_model import name_the_chosen_model
from .cards import buttons
from .chat import Chat, assistant_under_test
from .conversation import check_conversation
from .models import configured
from .recording import recorded
from .said import Said, ToolCall
from .script import calls, says
from .wire import Refused

__all__ = [
    "Chat",
    "Refused",
    "Said",
    "ToolCall",
    "assistant_under_test",
    "buttons",
    "calls",
    "check_conversation",
    "configured",
    "recorded",
    "says",
]

name_the_chosen_model()  # before the test imports its assistant
