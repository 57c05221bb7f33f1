"""The ingest function from its bundle, with the events that S3 sends for documents."""

from functools import partial

import pytest

from functions.aws.clients import client
from functions.knowledge.documents import DocumentRows
from functions.knowledge.search import Knowledge
from functions.settings import get_settings
from functions.store.table import Table
from infra.emulator import project
from infra.emulator.events import deliver
from infra.emulator.function import Function
from infra.local.events import _Documents, _Pump, _queue, document_queue
from tests.support.cloud import own_cloud

GUIDE = """# Holidays

## How many

Everybody has thirty days a year.

## Whom to ask

| place | lead |
| --- | --- |
| Rome | Ada |
"""


@pytest.fixture(scope="module")
def cloud():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, CHATKIT_KNOWLEDGE="true") as own:
        yield {**own, "CHATKIT_KNOWLEDGE": "true"}


async def test_a_document_is_put_read_found_and_forgotten_by_the_bundled_function(cloud):
    settings = get_settings()
    bucket, key = settings.attachments_bucket, "knowledge/hand book/holidays & more.md"
    where = {"CHATKIT_VECTOR_BUCKET": settings.vector_bucket}
    found = project.bundle("ingest")
    ingest = project.ingest_configuration(found.task_root, {**cloud, **where}, python=found.python)
    await _Pump(None, settings.table, bucket, documents=True)._subscribe()
    queue = await _queue(document_queue(bucket))
    rows = DocumentRows(Table(settings.table))
    async with Function(ingest) as function:
        documents = _Documents(partial(deliver, function), bucket)

        async def delivered():
            while await documents._deliver(queue):
                pass
            return [row async for row in rows.list()]

        client("s3").put_object(Bucket=bucket, Key=key, Body=GUIDE.encode())
        (row,) = await delivered()
        assert (row.path, row.state, row.error) == ("hand book/holidays & more.md", "ready", "")
        knowledge = Knowledge.of(settings)
        (best, *_) = await knowledge.search("lead in Rome", tenant=None, roles=())
        assert best.passage.headings[-1] == "Whom to ask"

        client("s3").put_object(Bucket=bucket, Key=key, Body=b"\x00\x01 no text")
        (row,) = await delivered()
        assert row.state == "failed"
        assert row.error

        client("s3").delete_object(Bucket=bucket, Key=key)
        assert await delivered() == []
    assert await knowledge.search("lead in Rome", tenant=None, roles=()) == []
