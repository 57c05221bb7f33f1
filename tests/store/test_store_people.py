"""A person's data, though requests break off or others write: handed over whole, removed whole."""

import asyncio
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
from functions.store import bodies, create_table, keys
from tests.store.samples import NOON, answer, message, thread
from tests.store.test_store_deletion import PNG, gone, left, upload
from tests.store.test_store_sizes import noise

MAX_REQUESTS = 200
"""Far more than any operation here makes."""


class Interference:
    """Something that happens before the n-th request of a client is made."""

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
        """Whether it has happened. From now on it will not."""
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
"""For what tries every request of ours in turn: each kind of request runs on both elsewhere."""


@pytest.fixture
def interference(backend):
    with Interference(backend) as made:
        yield made


def emptied(backend):
    """The backend with a new table and bucket: moto copies all that was ever in a table with
    each transaction.
    """
    backend.dynamodb.delete_table(TableName=backend.table)
    backend.table, backend.bucket = f"chatkit-{uuid4().hex}", f"chatkit-{uuid4().hex}"
    create_table(backend.dynamodb, backend.table)
    create_bucket(backend.s3, backend.bucket)
    return backend


@pytest.fixture
def spilling(monkeypatch):
    """Bodies that lie in S3, at lengths that many of a test can afford."""
    monkeypatch.setattr(bodies, "PLAIN_BYTES", 400)
    monkeypatch.setattr(bodies, "ROW_BYTES", 380)


def fail():
    raise ClientError({"Error": {"Code": "InternalServerError"}}, "Injected")


async def fill(backend, store, context, thread_id):
    """A thread with a row of each kind, and an object at each place."""
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
    return file


@one_engine
@pytest.mark.parametrize("operation", ["delete_user", "delete_thread"])
@pytest.mark.usefixtures("spilling")
async def test_whatever_request_a_deletion_breaks_off_at_deleting_the_person_finishes_it(
    backend, ada, interference, operation
):
    """With a thread whose deletion nothing has finished yet: a store that has no stream."""
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
async def test_what_is_left_of_deleted_threads_is_deleted_with_their_person(
    backend, ada, bob, purge
):
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
async def test_a_thread_that_is_begun_while_its_person_is_deleted_goes_whole_or_stays_whole(
    backend, ada, interference
):
    """Its row alone never goes, which would hide what lies below it for ever."""

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
async def test_a_purge_takes_nothing_of_an_id_that_comes_back_meanwhile(
    backend, ada, interference, ended
):
    """Whichever request of the purge it comes back at: what it acknowledged stays."""

    async def begin_anew(file):
        other = backend.store(purge="stream")
        await other.save_thread(thread(title="again"), ada)
        with suppress(NotFoundError):
            kept.append(await other.load_attachment(file.id, ada))
        for item in (message("new"), message("m", "anew"), answer("new big", noise(900))):
            await other.add_thread_item("thr_1", item, ada)

    for request in range(MAX_REQUESTS):
        kept = []
        store = emptied(backend).store(purge="stream")
        file = await fill(backend, store, ada, "thr_1")
        if ended == "deleted":
            await store.delete_thread("thr_1", ada)
        else:  # as DynamoDB's TTL does it, which leaves the head
            key = keys.thread_key(owner(ada), "thr_1")
            backend.dynamodb.delete_item(TableName=backend.table, Key=key)
        interference.at(request, lambda: asyncio.run(begin_anew(file)))  # noqa: B023
        assert await store.purge_deleted([gone(backend, "thr_1", ada)]) == []
        if not interference.came:
            break
        found, page = await store.open_turn("thr_1", 9, ada)
        assert found == await store.load_thread("thr_1", ada)
        assert found.title == "again"
        found = {item.id: item for item in (await page()).data}
        if interference.request == "BatchWriteItem":  # it may meet what has its old id again
            found["m"] = message("m", "anew")
        assert found["m"].content[0].text == "anew"
        assert {"new", "m", "new big"} <= found.keys()
        assert (len(found), kept) == (3, [])  # and nothing of the old one
    assert 5 < request < MAX_REQUESTS - 1


@one_engine
async def test_a_deletion_that_begins_while_another_ends_is_not_forgotten(
    backend, ada, interference
):
    """A purge of an id that comes back, and is deleted again: the second one is still to do."""

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
async def test_a_sweep_finishes_a_deletion_that_broke_off(backend, ada, interference):
    for request in range(1, MAX_REQUESTS):  # before the first, nothing is deleted
        store = emptied(backend).store()
        await fill(backend, store, ada, "thr_1")
        interference.at(request, fail)
        with suppress(ClientError):
            await store.delete_thread("thr_1", ada)
        broke = interference.came
        await store.sweep()
        assert left(backend) == []
        assert [key for key in backend.objects() if not key.startswith("uploads/")] == []
        if not broke:
            break


def fetched(backend, url):
    """What a link gives, had from the bucket that it leads to."""
    assert "X-Amz-Signature=" in url
    key = urlsplit(url).path.lstrip("/")
    return backend.s3.get_object(Bucket=backend.bucket, Key=key)["Body"].read()


async def test_an_export_links_whatever_lies_in_the_bucket(backend, store, ada, bob):
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


async def test_an_export_links_a_file_where_its_bytes_are(backend, store, ada):
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
