"""A context of another server: any mapping or object with a `user_id`, and nothing more."""

import time
from types import MappingProxyType

import pytest
from chatkit.store import NotFoundError
from chatkit.types import AttachmentCreateParams, FileAttachment

from functions.context import RequestContext
from functions.store import MemoryStore, Records, Run, Runs
from tests.store.every_store import every_store
from tests.store.samples import answer, message, thread


class Bare:
    __slots__ = ("user_id",)

    def __init__(self, user_id):
        self.user_id = user_id


class Session(dict):
    """A mapping that keeps the user outside its items."""

    def __init__(self, user_id):
        super().__init__(theme="dark")
        self.user_id = user_id


def as_dict(user_id):
    """What the SDK's own quickstart passes."""
    return {"user_id": user_id}


def read_only(user_id):
    return MappingProxyType({"user_id": user_id})


@pytest.mark.parametrize("context", [Bare, as_dict, read_only, Session])
async def test_a_context_needs_to_have_a_user_id_and_nothing_else(backend, store, context):
    ada, bob = context("ada"), context("bob")
    file = FileAttachment(id="f", name="f", mime_type="text/plain", thread_id="thr_1")
    await store.save_thread(thread(), ada)
    loaded = await store.load_thread("thr_1", ada)
    loaded.title = "Renamed"
    await store.save_thread(loaded, ada)
    await store.add_thread_item("thr_1", message("m"), ada)
    _, version = await store.load_item_versioned("thr_1", "m", ada)
    await store.save_item_if("thr_1", message("m", "changed"), ada, expected=version)
    await store.save_item("thr_1", answer("a"), ada)
    await store.save_attachment(file, ada)
    await store.save_feedback("thr_1", ["a"], "positive", ada)
    run = Run("r", "thr_1", time.time() + 60)
    await store.begin_run(run, ada, item=message("q"))
    runs = Runs(store.table)
    await runs.cancel("r", ada)
    assert await runs.is_cancelled("r", ada)
    await runs.finish("r", "thr_1", ada, "done")
    await Records(store.table).put("todo", [1], ada, version=0)

    assert [each.title for each in (await store.load_threads(9, None, "desc", ada)).data] == [
        "Renamed"
    ]
    page = await store.load_thread_items("thr_1", None, 9, "asc", ada)
    assert {item.id for item in page.data} == {"m", "a", "q"}
    assert (await store.load_item("thr_1", "m", ada)).content[0].text == "changed"
    assert await store.load_attachment("f", ada) == file
    assert [mark.item_id for mark in await store.load_feedback("thr_1", ada)] == ["a"]
    opened, read = await store.open_turn("thr_1", 9, ada)
    assert opened == (await store.read_turn("thr_1", 9, ada)).thread
    assert len((await read()).data) == 3

    for look in (
        lambda: store.load_thread("thr_1", bob),
        lambda: store.load_item("thr_1", "m", bob),
        lambda: store.load_attachment("f", bob),
        lambda: store.open_turn("thr_1", 9, bob),
    ):
        with pytest.raises(NotFoundError):
            await look()
    await store.delete_thread_item("thr_1", "m", ada)
    await store.delete_attachment("f", ada)
    await store.delete_thread("thr_1", ada)
    assert (await store.load_threads(9, None, "desc", ada)).data == []


@pytest.mark.parametrize(
    "context", [None, object(), {}, {"user_id": ""}, {"user_id": 7}, Bare(None), Bare("")]
)
async def test_a_context_without_a_user_id_is_refused_before_anything_is_read(store, context):
    with pytest.raises(ValueError, match="user_id"):
        await store.load_threads(9, None, "desc", context)
    with pytest.raises(ValueError, match="user_id"):
        await store.save_thread(thread(), context)
    with pytest.raises(ValueError, match="user_id"):
        await store.delete_attachment("f", context)


@pytest.mark.parametrize("context", [Bare, as_dict])
async def test_rows_of_one_user_are_the_same_whatever_kind_of_context_names_them(store, context):
    await store.save_thread(thread(), {"user_id": "ada"})
    assert (await store.load_thread("thr_1", context("ada"))).id == "thr_1"


@pytest.mark.parametrize("context", [Bare, as_dict])
async def test_files_of_such_a_context_lie_under_its_user(backend, context):
    files = backend.attachments()
    announced = AttachmentCreateParams(name="a.txt", size=1, mime_type="text/plain")
    attachment = await files.create_attachment(announced, context("ada"))
    assert files.key(attachment, context("ada")) == files.key(attachment, RequestContext("ada"))
    assert files.key(attachment, context("ada")) != files.key(attachment, context("bob"))


def subject(context):
    return context["session"]["sub"]


def session_of(user_id):
    return {"session": {"sub": user_id}, "user_id": "somebody else"}


@every_store
async def test_a_function_can_say_whose_a_context_is(backend):
    owned = backend.store(owner=subject)
    ada, bob = session_of("ada"), session_of("bob")
    await owned.save_thread(thread(), ada)
    await owned.add_thread_item("thr_1", message("m"), ada)
    await owned.save_feedback("thr_1", ["m"], "positive", ada)
    file = FileAttachment(id="f", name="f", mime_type="text/plain", thread_id="thr_1")
    await owned.save_attachment(file, ada)
    assert await owned.load_attachment("f", ada) == file
    assert (await owned.load_thread_items("thr_1", None, 9, "asc", bob)).data == []
    for look in (
        lambda: owned.load_thread("thr_1", bob),
        lambda: owned.load_item("thr_1", "m", bob),
        lambda: owned.load_attachment("f", bob),
    ):
        with pytest.raises(NotFoundError):
            await look()


async def test_a_user_has_the_same_rows_and_files_in_whichever_way_a_context_names_them(backend):
    store, files = backend.store(owner=subject), backend.attachments(owner=subject)
    ada = session_of("ada")
    await store.save_thread(thread(), ada)
    assert (await backend.store().load_thread("thr_1", RequestContext("ada"))).id == "thr_1"
    announced = AttachmentCreateParams(name="a.txt", size=1, mime_type="text/plain")
    attachment = await files.create_attachment(announced, ada)
    plain = backend.attachments().key(attachment, RequestContext("ada"))
    assert files.key(attachment, ada) == plain


@pytest.mark.parametrize("nobody", [None, "", 7, b"ada", ["ada"]])
async def test_an_owner_that_is_empty_or_no_text_is_refused_before_anything_is_read_or_written(
    backend, meter, nobody
):
    context = session_of(nobody)
    announced = AttachmentCreateParams(name="a.txt", size=1, mime_type="text/plain")
    for store in (backend.store(owner=subject), MemoryStore(owner=subject)):
        for make in (
            lambda: store.save_thread(thread(), context),  # noqa: B023 - run at once
            lambda: store.load_threads(9, None, "desc", context),  # noqa: B023
            lambda: store.add_thread_item("thr_1", message("m"), context),  # noqa: B023
            lambda: store.save_attachment(  # noqa: B023
                FileAttachment(id="f", name="f", mime_type="text/plain"), context
            ),
            lambda: store.delete_thread("thr_1", context),  # noqa: B023
        ):
            with pytest.raises(ValueError, match="user_id"):
                await make()
    with pytest.raises(ValueError, match="user_id"):
        await backend.attachments(owner=subject).create_attachment(announced, context)
    assert meter.requests == []
    assert backend.objects() == []
