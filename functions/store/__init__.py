"""Threads, items and attachment records in one DynamoDB table, each row owned by a user."""

from .dynamodb import DynamoDBStore, Turn
from .items import Conflict
from .purge import purge_deleted_threads
from .quota import OverQuota, Quota
from .records import Records
from .runs import (
    Run,
    RunAlreadyStarted,
    RunCancelled,
    Running,
    Runs,
)
from .schema import create_table

__all__ = [
    "Conflict",
    "DynamoDBStore",
    "OverQuota",
    "Quota",
    "Records",
    "Run",
    "RunAlreadyStarted",
    "RunCancelled",
    "Running",
    "Runs",
    "Turn",
    "create_table",
    "purge_deleted_threads",
]
