"""The table, the bucket and the settings that the chat's tests have."""

from tests.chat.conftest import cloud

__all__ = ["cloud"]
