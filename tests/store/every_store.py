"""Which stores a test of ChatKit's contract runs on: those of the table, and the one in memory."""

import pytest

every_store = pytest.mark.parametrize(
    "backend", ["moto", "dynamodb-local", "memory"], indirect=True
)
