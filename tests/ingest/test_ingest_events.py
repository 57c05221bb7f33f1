"""A batch of the queue: which messages it answers to have again."""

import importlib
import json

import pytest

from functions.ingest.events import Events, UnknownEventError
from functions.knowledge.embedder import EmbeddingUnavailableError


def of_s3(*keys, event="ObjectCreated:Put"):
    records = [{"eventSource": "aws:s3", "eventName": event, "s3": {"object": {"key": key}}}
               for key in keys]  # fmt: skip
    return {"Records": records}


def batch(*bodies):
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": f"m{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for number, body in enumerate(bodies)
        ]
    }


def again(answer):
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def left():
    return 900.0


async def test_notifications_and_our_own_messages_name_documents(stage):
    stage.put("über uns.md", "We are six.")
    stage.put("b.md", "It is b.")
    answer = await Events(stage.ingest()).handle(
        batch(
            of_s3("knowledge/%C3%BCber+uns.md"),
            {"key": "knowledge/b.md", "force": True, "index": "building"},
            {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": stage.name},
        ),
        left,
    )
    assert again(answer) == []
    assert {each["text"] for each in (await stage.vectors()).values()} == {
        "We are six.", "It is b.",
    }  # fmt: skip


async def test_one_key_is_ingested_once_however_often_and_in_which_order_it_is_named(stage):
    stage.put("a.md", "It is a.")
    removed = of_s3("knowledge/a.md", event="ObjectRemoved:Delete")
    put = of_s3("knowledge/a.md")
    assert again(await Events(stage.ingest()).handle(batch(put, put, removed), left)) == []
    assert len(stage.embedding.texts) == 1
    assert len(await stage.vectors()) == 1


async def test_only_messages_that_failed_come_again(stage):
    stage.put("a.md", "It is a.")
    stage.put("b.md", "It is b.")
    embedder = stage.embedder

    def failing(index):
        made = embedder(index)
        embed = made.embed

        async def without_b(texts, *, query=False):
            if any("b." in text for text in texts):
                raise EmbeddingUnavailableError
            return await embed(texts, query=query)

        made.embed = without_b
        return made

    stage.embedder = failing
    answer = await Events(stage.ingest()).handle(
        batch(of_s3("knowledge/a.md"), of_s3("knowledge/b.md"), "no JSON", {"what": 1}), left
    )
    assert sorted(again(answer)) == ["m1", "m2", "m3"]
    assert len(await stage.vectors()) == 1


async def test_nothing_is_begun_when_the_functions_time_is_nearly_over(stage):
    key = stage.put("a.md", "It is a.")
    answer = await Events(stage.ingest()).handle(batch(of_s3(key)), lambda: 30.0)
    assert again(answer) == ["m0"]
    assert not (await stage.row(key)).held


async def test_anything_but_a_batch_of_the_queue_is_refused(stage):
    for event in ({}, {"Records": []}, of_s3("knowledge/a.md")):
        with pytest.raises(UnknownEventError):
            await Events(stage.ingest()).handle(event, left)


def test_the_handler_is_what_lambda_calls(stage, monkeypatch):
    from functions.settings import forget_settings

    monkeypatch.setenv("CHATKIT_TABLE", stage.name)
    monkeypatch.setenv("CHATKIT_ATTACHMENTS_BUCKET", stage.name)
    monkeypatch.setenv("CHATKIT_VECTOR_BUCKET", stage.name)
    forget_settings()
    handler = importlib.import_module("functions.ingest.handler")
    handler = importlib.reload(handler)

    class Context:
        def get_remaining_time_in_millis(self):
            return 900_000

    key = stage.put("a.md", "It is a.")
    assert again(handler.handler(batch(of_s3(key)), Context())) == []
    forget_settings()


def test_a_python_without_fts5_is_said_at_the_start(monkeypatch):
    import sqlite3

    from functions.knowledge import words

    class Lacking(sqlite3.Connection):
        def executescript(self, script):
            raise sqlite3.OperationalError("no such module: fts5")

    connect = sqlite3.connect
    monkeypatch.setattr(words.sqlite3, "connect", lambda name: connect(name, factory=Lacking))
    with pytest.raises(RuntimeError, match="has no FTS5"):
        words.check_fts5()
