"""A plain server of the SDK's with a store in memory, and the table and bucket of the files."""

import pytest

from functions.store import MemoryStore
from tests.attachments.conftest import ada, bob, clients, place  # noqa: F401 - fixtures


@pytest.fixture(params=["table", "memory"])
def store(request):
    """Both stores of the library."""
    if request.param == "memory":
        return MemoryStore()
    return request.getfixturevalue("place").store()
