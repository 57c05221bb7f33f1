"""Threads, items and attachment records in one DynamoDB table, each row owned by a user."""

from .dynamodb import DynamoDBStore, OpenThread
from .items import Conflict
from .memory import MemoryStore
from .records import Records
from .runs import (
    Run,
    RunAlreadyStarted,
    RunCancelled,
    Running,
    Runs,
)
from .schema import create_table
from .sessions import Sessions
from .table import Table

__all__ = [
    "Conflict",
    "DynamoDBStore",
    "MemoryStore",
    "OpenThread",
    "Records",
    "Run",
    "RunAlreadyStarted",
    "RunCancelled",
    "Running",
    "Runs",
    "Sessions",
    "Table",
    "create_table",
]
