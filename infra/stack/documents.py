"""What reads documents into the index, without its rights to them (`rights.py`)."""

from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.stack import knowledge
from infra.stack.data import StageData
from infra.stack.function import ServiceFunction
from infra.stack.knowledge import (
    Reading,
    VectorBucket,
    delete_indexes_with_stack,
    subscribe_to_documents,
)
from infra.stack.settings import StackSettings
from infra.stack.stage_functions import alike


def read_documents(
    scope: Construct,
    settings: StackSettings,
    *,
    data: StageData,
    vectors: VectorBucket,
    code: Path,
    variables: dict[str, str],
) -> Reading:
    """Make the function that reads documents, and its queue."""
    common = {"code": lambda_.Code.from_asset(str(code)), **alike(settings)}
    ingest = ServiceFunction(
        scope,
        "Ingest",
        description=f"ChatKit {settings.stage}: reads documents into the index",
        handler="functions.ingest.handler.handler",
        memory=knowledge.MEMORY,
        timeout=knowledge.TIMEOUT,
        concurrency=0,  # the queue's `AT_ONCE` limits it, and throttles nothing
        environment=variables,
        layers=[],
        snap_start=False,
        **common,
    )
    if not settings.deletion_protection:
        indexes = delete_indexes_with_stack(scope, "VectorRemoval", vectors=vectors, **common)
        # So the ingest function, which would make an index, is deleted first.
        ingest.function.node.add_dependency(indexes)
    return subscribe_to_documents(ingest, data.files.bucket)
