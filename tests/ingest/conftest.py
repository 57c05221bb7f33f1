"""A stage for each test, in one moto for each file. Files are read without a process."""

import pytest

from functions.ingest import ingest
from tests.support.cloud import own_cloud
from tests.support.knowledge import Stage, read_paragraphs, split_paragraphs


@pytest.fixture(scope="module")
def moto():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch):
        yield


@pytest.fixture
def stage(moto, monkeypatch):
    monkeypatch.setattr(ingest, "read", read_paragraphs)
    monkeypatch.setattr(ingest, "split", split_paragraphs)
    return Stage()
