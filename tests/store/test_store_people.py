"""Export and deletion of a user are complete although requests fail and others write meanwhile."""

import asyncio
import time
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from chatkit.store import NotFoundError
from chatkit.types import (
    AttachmentCreateParams,
    FileAttachment,
    GeneratedImage,
    GeneratedImageItem,
)

from functions.attachments import create_bucket
from functions.aws.keys import owner
from functions.store import Records, Run, Runs, Table, bodies, create_table, keys, people
from tests.store.samples import NOON, answer, at, message, thread
from tests.store.test_store_deletion import PNG, gone, left, upload
from tests.store.test_store_sizes import noise

MAX_REQUESTS = 200
"""More than any operation in these tests makes."""


class Interference:
    """Runs a function before the n-th request of a client."""

    def __init__(self, backend):
        self.clients = (backend.dynamodb, backend.s3)
        self.countdown = None
        self.act = None
        self.request = ""

    def __enter__(self):
        for client in self.clients:
            client.meta.events.register("before-call", self._count)
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.meta.events.unregister("before-call", self._count)

    def at(self, request, act):
        self.countdown, self.act = request, act

    @property
    def came(self):
        """Whether the function ran. It does not run after this."""
        came, self.countdown = self.countdown is None, None
        return came

    def _count(self, model, **_):
        if self.countdown is None:
            return
        self.countdown -= 1
        if self.countdown < 0:
            self.countdown = None
            self.request = model.name
            self.act()


one_engine = pytest.mark.parametrize("backend", ["moto"], indirect=True)
"""One engine for tests that fail each request in turn; other tests run them on both."""


@pytest.fixture
def interference(backend):
    with Interference(backend) as made:
        yield made


def emptied(backend):
    """The backend with a new table and bucket, because moto copies the whole table, with all rows
    that it ever had, for each transaction.
    """
    backend.dynamodb.delete_table(TableName=backend.table)
    backend.table, backend.bucket = f"chatkit-{uuid4().hex}", f"chatkit-{uuid4().hex}"
    create_table(backend.dynamodb, backend.table)
    create_bucket(backend.s3, backend.bucket)
    return backend


@pytest.fixture
def spilling(monkeypatch):
    """Small limits, so that short bodies are stored in S3."""
    monkeypatch.setattr(bodies, "PLAIN_BYTES", 400)
    monkeypatch.setattr(bodies, "ROW_BYTES", 380)


def fail():
    raise ClientError({"Error": {"Code": "InternalServerError"}}, "Injected")


async def fill(backend, store, context, thread_id):
    """A thread with a row and an object of each kind."""
    await store.save_thread(thread(thread_id), context)
    file = (await upload(backend, store, context)).model_copy(update={"thread_id": thread_id})
    await store.save_attachment(file, context)
    for item in (
        message("m", "secret", thread_id=thread_id, attachments=[file]),
        answer("big", noise(900), thread_id=thread_id),
    ):
        await store.add_thread_item(thread_id, item, context)
    await backend.attachments().put_image(thread_id, "img", PNG, context)
    await store.save_feedback(thread_id, ["big"], "positive", context)
    records = Records(Table(backend.table, backend.dynamodb)).of_thread(thread_id)
    await records.put("cat", {"energy": 5}, context, version=0)
    return file


@one_engine
@pytest.mark.parametrize("operation", ["delete_user", "delete_thread"])
@pytest.mark.usefixtures("spilling")
async def test_deleting_a_user_finishes_a_deletion_whichever_request_failed(
    backend, ada, interference, operation
):
    """With a thread whose deletion is not finished, in a store without a stream."""
    for request in range(MAX_REQUESTS):
        store = emptied(backend).store()
        for thread_id in ("living", "pending"):
            await fill(backend, store, ada, thread_id)
        await backend.store(purge="stream").delete_thread("pending", ada)
        interference.at(request, fail)
        with suppress(ClientError):
            if operation == "delete_user":
                await store.delete_user(ada.user_id)
            else:
                await store.delete_thread("living", ada)
        broke = interference.came
        await store.delete_user(ada.user_id)
        assert left(backend) == []
        assert {name for row in backend.rows() for name in row} == {"pk", "sk", "expires"}
        assert backend.objects() == []
        if not broke:
            break
    assert 5 < request < MAX_REQUESTS - 1


@pytest.mark.parametrize("purge", ["now", "stream"])
async def test_deleting_a_user_removes_what_is_left_of_deleted_threads(backend, ada, bob, purge):
    store = backend.store(purge=purge)
    for context in (ada, bob):
        await fill(backend, store, context, "thr_1")
        await backend.store(purge="stream").delete_thread("thr_1", context)
    bobs = [row for row in left(backend) if "bob" in row[0]]
    objects = len(backend.objects())
    await store.delete_user(ada.user_id)
    assert left(backend) == bobs
    assert len(backend.objects()) == objects / 2
    assert await store.purge_deleted(backend.stream()) == []
    assert left(backend) == []


@one_engine
async def test_a_thread_created_while_its_user_is_deleted_is_removed_whole_or_kept_whole(
    backend, ada, interference
):
    """Its row is never removed alone, because then nobody could find its items."""

    async def begin():
        other = backend.store()
        await other.save_thread(thread("new"), ada)
        await other.add_thread_item("new", message("m", thread_id="new"), ada)

    for request in range(MAX_REQUESTS):
        store = emptied(backend).store()
        await fill(backend, store, ada, "thr_1")
        interference.at(request, lambda: asyncio.run(begin()))
        await store.delete_user(ada.user_id)
        broke = interference.came
        kinds = {sort.partition("#")[0] for _, sort in left(backend)}
        assert kinds in (set(), {"THREAD", "HEAD", "ITEM"})
        await store.delete_user(ada.user_id)
        assert left(backend) == []
        if not broke:
            break


@one_engine
@pytest.mark.parametrize("ended", ["deleted", "expired"])
@pytest.mark.usefixtures("spilling")
async def test_a_purge_removes_nothing_of_a_thread_that_is_created_with_the_id_meanwhile(
    backend, ada, interference, ended
):
    """All acknowledged writes stay, whichever request of the purge the new thread comes before."""

    async def create_again(file):
        other = backend.store(purge="stream")
        await other.save_thread(thread(title="again"), ada)
        with suppress(NotFoundError):
            kept.append(await other.load_attachment(file.id, ada))
        for item in (message("new"), message("m", "again"), answer("new big", noise(900))):
            await other.add_thread_item("thr_1", item, ada)

    for request in range(MAX_REQUESTS):
        kept = []
        store = emptied(backend).store(purge="stream")
        file = await fill(backend, store, ada, "thr_1")
        if ended == "deleted":
            await store.delete_thread("thr_1", ada)
        else:  # TTL removes only the thread's row and leaves the head
            key = keys.thread_key(owner(ada), "thr_1")
            backend.dynamodb.delete_item(TableName=backend.table, Key=key)
        interference.at(request, lambda: asyncio.run(create_again(file)))  # noqa: B023
        assert await store.purge_deleted([gone(backend, "thr_1", ada)]) == []
        if not interference.came:
            break
        found, page = await store.open_turn("thr_1", 9, ada)
        assert found == await store.load_thread("thr_1", ada)
        assert found.title == "again"
        found = {item.id: item for item in (await page()).data}
        if (
            interference.request == "BatchWriteItem"
        ):  # it may remove the item that has its old id again
            found["m"] = message("m", "again")
        assert found["m"].content[0].text == "again"
        assert {"new", "m", "new big"} <= found.keys()
        assert (len(found), kept) == (3, [])  # and nothing of the old one
    assert 5 < request < MAX_REQUESTS - 1


@one_engine
async def test_a_purge_does_not_cancel_a_second_deletion_of_the_same_id(backend, ada, interference):
    """The id is used and deleted again during the first purge: the second purge is still due."""

    async def again():
        other = backend.store(purge="stream")
        await other.save_thread(thread(), ada)
        await other.add_thread_item("thr_1", message("new"), ada)
        await other.delete_thread("thr_1", ada)

    for request in range(MAX_REQUESTS):
        store = emptied(backend).store(purge="stream")
        await fill(backend, store, ada, "thr_1")
        await store.delete_thread("thr_1", ada)
        interference.at(request, lambda: asyncio.run(again()))
        assert await store.purge_deleted([gone(backend, "thr_1", ada)]) == []
        if not interference.came:
            break
        await store.delete_user(ada.user_id)
        assert left(backend) == []


@pytest.mark.usefixtures("spilling")
async def test_a_sweep_finishes_an_interrupted_deletion(backend, ada, interference):
    for request in range(1, MAX_REQUESTS):  # nothing is deleted before the first request
        store = emptied(backend).store()
        await fill(backend, store, ada, "thr_1")
        interference.at(request, fail)
        with suppress(ClientError):
            await store.delete_thread("thr_1", ada)
        broke = interference.came
        await store.sweep()
        assert [row for row in left(backend) if row[0] != keys.SWEEP] == []
        assert [key for key in backend.objects() if not key.startswith("uploads/")] == []
        if not broke:
            break


async def test_a_deletion_stops_a_running_answer_and_removes_its_last_words_too(
    store, backend, ada, monkeypatch
):
    monkeypatch.setattr(people, "STOP_PAUSE", 0)
    runs = Runs(store.table)
    await store.save_thread(thread(), ada)
    await store.begin_run(Run("r", "thr_1", time.time() + 60), ada)

    async def write():
        while not await runs.is_cancelled("r", ada):
            pass
        await store.add_thread_item("thr_1", message("last"), ada)  # fails without the thread
        await runs.finish("r", "thr_1", ada, "stopped")

    async with asyncio.timeout(30):
        await asyncio.gather(store.delete_user(ada.user_id), write())
    assert left(backend) == []


async def test_a_deletion_does_not_wait_for_an_answer_that_has_crashed(
    store, backend, ada, monkeypatch
):
    monkeypatch.setattr(people, "STOP_SECONDS", 0)
    await store.save_thread(thread(), ada)
    await store.begin_run(Run("r", "thr_1", time.time() + 60), ada)
    await store.delete_user(ada.user_id)
    assert left(backend) == []


async def test_a_users_partitions_are_all_that_their_rows_lie_in(backend, store, ada, bob):
    await fill(backend, store, ada, "living")
    await fill(backend, store, bob, "living")
    await fill(backend, store, ada, "pending")
    await backend.store(purge="stream").delete_thread("pending", ada)
    found = await store.user_partitions(ada.user_id)
    assert {pk for pk, _ in left(backend) if "bob" not in pk} <= found
    assert not any("bob" in partition for partition in found)


def fetched(backend, url):
    """The bytes of the object that a link leads to."""
    assert "X-Amz-Signature=" in url
    key = urlsplit(url).path.lstrip("/")
    return backend.s3.get_object(Bucket=backend.bucket, Key=key)["Body"].read()


async def test_an_export_signs_the_links_to_everything_in_the_bucket(backend, store, ada, bob):
    files = backend.attachments()
    await fill(backend, store, ada, "thr_1")
    for item_id, url in (
        ("kept", await files.put_image("thr_1", "img", PNG, ada)),
        ("foreign", f"s3://{backend.bucket}/images/somebody/else"),
        ("none", None),
    ):
        image = url and GeneratedImage(id="img", url=url)
        await store.add_thread_item(
            "thr_1",
            GeneratedImageItem(id=item_id, thread_id="thr_1", created_at=NOON, image=image),
            ada,
        )
    exported = [entry async for entry in store.export_user(ada.user_id)]
    items = {entry["item"]["id"]: entry["item"] for entry in exported if entry["type"] == "item"}
    assert fetched(backend, items["kept"]["image"]["url"]) == PNG
    assert items["foreign"]["image"]["url"] == f"s3://{backend.bucket}/images/somebody/else"
    assert items["none"]["image"] is None
    assert fetched(backend, items["m"]["attachments"][0]["preview_url"]) == PNG
    (sent,) = [entry for entry in exported if entry["type"] == "attachment"]
    assert fetched(backend, sent["url"]) == PNG
    assert fetched(backend, sent["attachment"]["preview_url"]) == PNG


async def test_an_export_has_the_items_of_a_thread_in_their_order(backend, store, ada):
    await store.save_thread(thread(), ada)
    for item_id, seconds in (("b", 1), ("c", 0), ("a", 1)):
        await store.add_thread_item("thr_1", message(item_id, created_at=at(seconds)), ada)
    exported = [entry async for entry in store.export_user(ada.user_id)]
    assert [entry["item"]["id"] for entry in exported if entry["type"] == "item"] == ["c", "b", "a"]


async def test_an_export_links_to_the_place_of_a_files_bytes(backend, store, ada):
    files = backend.attachments()

    async def announced(name):
        params = AttachmentCreateParams(name=name, size=len(PNG), mime_type="image/png")
        made = await files.create_attachment(params, ada)
        await store.save_attachment(made, ada)
        return made

    await announced("never came")
    await upload(backend, store, ada, "uploaded")
    checked = await upload(backend, store, ada, "checked")
    await files.check_uploaded(checked, ada)
    backend.s3.delete_object(Bucket=backend.bucket, Key=files.key(checked, ada))  # a day later
    theirs = FileAttachment(id="f", name="theirs", mime_type="text/plain", thread_id="thr_1")
    await store.save_attachment(theirs, ada)
    urls = {
        entry["attachment"]["name"]: entry["url"] async for entry in store.export_user(ada.user_id)
    }
    assert urls.pop("never came") is None
    assert urls.pop("theirs") is None
    assert {name: fetched(backend, url) for name, url in urls.items()} == {
        "uploaded": PNG,
        "checked": PNG,
    }
