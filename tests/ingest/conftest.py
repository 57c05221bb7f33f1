"""A stage for each test, in one moto for each file. Files are read without a process."""

import csv

import pytest

from functions.ingest import ingest
from tests.support.cloud import own_cloud
from tests.support.knowledge import Stage, read_paragraphs, split_paragraphs


@pytest.fixture(autouse=True)
def limit_of_csv():
    """Reading a CSV file raises the limit of its process, which is here that of all tests."""
    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


@pytest.fixture(scope="module")
def moto():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch):
        yield


@pytest.fixture
def stage(moto, monkeypatch):
    monkeypatch.setattr(ingest, "read", read_paragraphs)
    monkeypatch.setattr(ingest, "split", split_paragraphs)
    return Stage()
