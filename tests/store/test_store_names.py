"""Generated titles: only for a thread without a title, and nothing but the title is written."""

import asyncio

import pytest
from chatkit.store import NotFoundError
from chatkit.types import LockedStatus, Page, Thread, ThreadMetadata

from functions.aws.keys import owner
from functions.store import keys
from tests.store.samples import NOON, thread


async def stored(store, context):
    """The stored thread, with an assertion that its row and its head agree."""
    found = await store.load_thread("thr_1", context)
    assert (await store.open_turn("thr_1", 9, context))[0] == found
    return found


async def rename(store, context, title):
    found = await store.load_thread("thr_1", context)
    found.title, found.metadata["renamed"] = title, True
    await store.save_thread(found, context)


async def test_a_thread_without_a_title_gets_one_in_one_request(store, ada, meter):
    await store.save_thread(thread(metadata={"a": 1}), ada)
    answering, _ = await store.open_turn("thr_1", 9, ada)
    meter.clear()
    await store.name_thread(answering, "Ünïcode 😀", ada)
    assert answering.title == "Ünïcode 😀"
    await store.save_thread(answering, ada)
    assert meter.requests == ["TransactWriteItems"]
    assert await stored(store, ada) == thread(title="Ünïcode 😀", metadata={"a": 1})


async def test_a_rename_before_the_generated_title_is_kept(backend, store, ada):
    await store.save_thread(thread(), ada)
    answering = await store.load_thread("thr_1", ada)
    await rename(backend.store(), ada, "Renamed")
    answering.metadata["answered"] = True
    await store.name_thread(answering, "Automatic", ada)
    assert answering.title == "Renamed"
    await store.save_thread(answering, ada)
    metadata = {"renamed": True, "answered": True}
    assert await stored(store, ada) == thread(title="Renamed", metadata=metadata)


@pytest.mark.parametrize("title", ["Renamed", None])
async def test_a_rename_between_the_generated_title_and_the_save_is_kept(
    backend, store, ada, title
):
    """Also when the rename removes the title."""
    await store.save_thread(thread(), ada)
    answering = await store.load_thread("thr_1", ada)
    await store.name_thread(answering, "Automatic", ada)
    await rename(backend.store(), ada, title)
    answering.status = LockedStatus()
    await store.save_thread(answering, ada)
    expected = thread(title=title, metadata={"renamed": True}, status=LockedStatus())
    assert await stored(store, ada) == expected


async def test_of_many_parallel_titles_one_is_stored_and_every_caller_gets_it(backend, store, ada):
    if backend.engine == "moto":
        pytest.skip("moto does not isolate transactions from each other; DynamoDB Local does")
    await store.save_thread(thread(), ada)
    answering = [await store.load_thread("thr_1", ada) for _ in range(5)]
    names = (store.name_thread(each, f"Title {n}", ada) for n, each in enumerate(answering))
    await asyncio.gather(*names)
    (title,) = {each.title for each in answering}
    assert (await stored(store, ada)).title == title


@pytest.mark.parametrize("known", [True, False])
async def test_the_thread_that_the_sdk_keeps_is_named_and_saving_it_does_not_write_the_title(
    backend, store, ada, known
):
    """Also when this store no longer has the snapshot of the copy that the SDK saved."""
    new = Thread(id="thr_1", created_at=NOON, items=Page())
    await store.save_thread(ThreadMetadata(**new.model_dump()), ada)
    await rename(backend.store(), ada, "Renamed")
    answering = store if known else backend.store()
    new.metadata["answered"] = True
    await answering.name_thread(new, "Automatic", ada)
    await rename(backend.store(), ada, "Renamed again")
    await answering.save_thread(new, ada)
    metadata = {"renamed": True, "answered": True}
    assert await stored(store, ada) == thread(title="Renamed again", metadata=metadata)


async def test_a_deleted_thread_gets_no_title(backend, store, ada, bob):
    await store.save_thread(thread(), ada)
    answering = await store.load_thread("thr_1", ada)
    expired = {":then": {"N": "1"}}
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=keys.thread_key(owner(ada), "thr_1"),
        UpdateExpression="SET expires = :then",
        ExpressionAttributeValues=expired,
    )
    with pytest.raises(NotFoundError):
        await store.name_thread(answering, "Automatic", ada)
    await store.delete_thread("thr_1", ada)
    before = backend.rows()
    for context in (ada, bob):
        with pytest.raises(NotFoundError):
            await store.name_thread(answering, "Automatic", context)
    assert backend.rows() == before
    assert answering.title is None


@pytest.mark.parametrize("title", [None, 5, "\ud800", "x" * 200_000])
async def test_an_invalid_title_is_rejected(backend, store, ada, title):
    await store.save_thread(thread(), ada)
    before = backend.rows()
    answering = await store.load_thread("thr_1", ada)
    with pytest.raises(ValueError, match=r"title|stored"):
        await store.name_thread(answering, title, ada)
    assert (backend.rows(), answering.title) == (before, None)
