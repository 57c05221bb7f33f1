"""`make dev` indexes documents unless it is told otherwise, and its own only for the starter."""

import subprocess

import pytest

from functions.settings import GivenSettings, Settings
from infra.local.own_documents import docs_ingested, with_documents

COMPATIBLE = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "CHATKIT_MODEL": "llama"}
EMBEDDING = {"CHATKIT_EMBEDDING_MODEL": "e5", "CHATKIT_EMBEDDING_DIMENSION": "384"}


@pytest.mark.parametrize(
    ("said", "knows"),
    [
        ({}, True),
        ({"CHATKIT_KNOWLEDGE": "false"}, False),
        ({"CHATKIT_KNOWLEDGE": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, False),
        (COMPATIBLE, False),
        ({**COMPATIBLE, **EMBEDDING}, True),
        ({"OPENAI_API_KEY": "sk-1"}, True),
    ],
    ids=["demo", "off", "on", "another server", "no embedding model", "with one", "OpenAI"],
)
def test_there_are_documents_where_they_can_be_indexed(said, knows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHATKIT_KNOWLEDGE", "")  # so that it is unset again afterwards
    monkeypatch.delenv("CHATKIT_KNOWLEDGE")
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    assert with_documents(Settings()).knowledge is knows


@pytest.mark.parametrize(
    "settings", [{"knowledge": True, "assistant": "examples.minimal"}, {"knowledge": False}]
)
def test_the_docs_are_put_in_for_the_starter_only(settings, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)  # to start one would fail
    with docs_ingested(GivenSettings(**settings), "8000") as ingest:
        ingest()
    with docs_ingested(GivenSettings(knowledge=True), "8000") as ingest, pytest.raises(TypeError):
        ingest()
