"""Threads, items and attachment records in one DynamoDB table, each row owned by a user."""

from functions.store.dynamodb import DynamoDBStore, Turn
from functions.store.items import Conflict
from functions.store.purge import purge_deleted_threads
from functions.store.quota import OverQuota, Quota
from functions.store.records import Records
from functions.store.runs import Run, RunAlreadyStarted, RunCancelled, Running, Runs
from functions.store.schema import create_table

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
