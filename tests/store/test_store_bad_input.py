"""Invalid input to any method: `ValueError` or `NotFoundError` without a quote, and no change."""

import warnings

import pytest
from chatkit.store import NotFoundError
from chatkit.types import (
    AttachmentCreateParams,
    ClientToolCallItem,
    FileAttachment,
    HiddenContextItem,
    ImageAttachment,
)

from functions.attachments import AttachmentError
from tests.store.samples import NOON, answer, at, message, thread

# Rejected input never reaches an engine, so one engine is enough.
table = pytest.mark.parametrize("backend", ["moto"], indirect=True)
every_store = pytest.mark.parametrize("backend", ["moto", "memory"], indirect=True)

LONE = "secret \ud800"
NAN = float("nan")
CYCLE: list = []
CYCLE.append(CYCLE)
DEEP: list = []
for _ in range(300):
    DEEP = [DEEP]
NO_JSON = {
    "NaN": NAN,
    "infinity": {"a": [float("-inf")]},
    "NaN in a tuple": (1, NAN),
    "an object": object(),
    "a class": int,
    "bytes": b"\xff",
    "a lone surrogate": LONE,
    "a key with a lone surrogate": {LONE: 1},
    "a cycle": CYCLE,
    "too deep": DEEP,
    "a number past all bounds": 10**5000,
}
values = pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON)


@pytest.fixture
async def store(backend, ada):
    made = backend.store()
    await made.save_thread(thread(metadata={"a": 1}), ada)
    for n in range(3):
        await made.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    await made.save_attachment(FileAttachment(id="f", name="f", mime_type="text/plain"), ada)
    return made


@pytest.fixture
def refused(backend, store):
    """Await a call, and assert that it raises, changes nothing and quotes nothing."""

    async def check(make, *errors):
        before = backend.rows(), backend.objects()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydantic warns about the invalid values
            with pytest.raises(errors or ValueError) as caught:
                await make()
        assert type(caught.value) in (errors or (ValueError,))
        if errors != (NotFoundError,):  # whose message contains the requested id
            assert "secret" not in str(caught.value).replace(repr(LONE), "")
        assert (backend.rows(), backend.objects()) == before
        return str(caught.value)

    return check


def hidden(value, **fields):
    return HiddenContextItem(
        **{"id": "h", "thread_id": "thr_1", "created_at": NOON, "content": value, **fields}
    )


@every_store
@values
async def test_an_item_that_cannot_be_json_is_rejected(store, refused, ada, value):
    call = {"id": "c", "thread_id": "thr_1", "created_at": NOON, "call_id": "c", "name": "n"}
    for item in (
        hidden(value),
        hidden(["secret", {"deep": value}]),
        ClientToolCallItem(**call, arguments={"a": value}),
        ClientToolCallItem(**call, arguments={}, status="completed", output=value),
    ):
        for method in (store.add_thread_item, store.save_item):
            why = await refused(lambda: method("thr_1", item, ada))  # noqa: B023 - run at once
            assert "cannot be stored" in why


@every_store
@values
async def test_thread_metadata_that_cannot_be_json_is_rejected(store, refused, ada, value):
    loaded = await store.load_thread("thr_1", ada)
    loaded.metadata["b"] = {"c": value}
    await refused(lambda: store.save_thread(loaded, ada))
    await refused(lambda: store.save_thread(thread(metadata={"b": value}), ada))
    await refused(lambda: store.save_thread(thread("new", metadata={"b": value}), ada))


@every_store
@values
async def test_attachment_metadata_that_cannot_be_json_is_rejected(store, refused, ada, value):
    for thread_id in (None, "thr_1"):
        made = FileAttachment(
            id="f", name="g", mime_type="a/b", metadata={"a": value}, thread_id=thread_id
        )
        await refused(lambda: store.save_attachment(made, ada))  # noqa: B023 - run at once


@every_store
async def test_text_that_is_not_unicode_is_rejected_in_every_field(store, refused, ada):
    for make in (
        lambda: store.add_thread_item("thr_1", message("m", LONE), ada),
        lambda: store.add_thread_item("thr_1", message(LONE, "x"), ada),
        lambda: store.save_item("thr_1", answer("m1", LONE), ada),
        lambda: store.save_thread(thread(title=LONE), ada),
        lambda: store.save_thread(thread(LONE), ada),
        lambda: store.save_thread(thread(metadata={LONE: 1}), ada),
        lambda: store.save_attachment(
            FileAttachment(id="f", name=LONE, mime_type="text/plain"), ada
        ),
        lambda: store.save_attachment(
            FileAttachment(id=LONE, name="f", mime_type="text/plain"), ada
        ),
    ):
        await refused(make)
    for make in (
        lambda: store.load_thread(LONE, ada),
        lambda: store.load_item("thr_1", LONE, ada),
        lambda: store.load_attachment(LONE, ada),
        lambda: store.load_threads(3, LONE, "asc", ada),
        lambda: store.load_thread_items("thr_1", LONE, 3, "asc", ada),
        lambda: store.add_thread_item(LONE, message("m"), ada),
        lambda: store.save_feedback("thr_1", [LONE], "positive", ada),
    ):
        await refused(make, NotFoundError)
    await store.delete_thread(LONE, ada)
    await store.delete_thread_item("thr_1", LONE, ada)
    await store.delete_attachment(LONE, ada)


@every_store
@pytest.mark.parametrize("wrong", [None, 7, b"thr_1", ["thr_1"], object()])
async def test_every_method_rejects_an_argument_of_a_wrong_type(
    backend, store, refused, ada, wrong
):
    one = {"id": "x", "name": "x", "mime_type": "text/plain"}
    calls = [
        lambda: store.load_thread(wrong, ada),
        lambda: store.save_thread(wrong, ada),
        lambda: store.save_thread(thread().model_copy(update={"id": wrong}), ada),
        lambda: store.save_thread(thread().model_copy(update={"created_at": wrong}), ada),
        lambda: store.save_thread(thread().model_copy(update={"metadata": wrong}), ada),
        lambda: store.save_thread(thread().model_copy(update={"status": wrong}), ada),
        lambda: store.save_thread(thread(metadata={"a": 1}, title=None), wrong),
        lambda: store.load_thread_items(wrong, None, 3, "asc", ada),
        lambda: store.load_thread_items("thr_1", None, 3, wrong, ada),
        lambda: store.load_thread_items("thr_1", None, 3, "asc", wrong),
        lambda: store.load_threads(3, None, wrong, ada),
        lambda: store.load_threads(3, None, "asc", wrong),
        lambda: store.add_thread_item(wrong, message("m"), ada),
        lambda: store.add_thread_item("thr_1", wrong, ada),
        lambda: store.add_thread_item("thr_1", message("m").model_copy(update={"id": wrong}), ada),
        lambda: store.add_thread_item(
            "thr_1", message("m").model_copy(update={"created_at": wrong}), ada
        ),
        lambda: store.save_item("thr_1", answer("m1").model_copy(update={"content": [wrong]}), ada),
        lambda: store.save_item("thr_1", thread(), ada),
        lambda: store.load_item(wrong, "m1", ada),
        lambda: store.load_item("thr_1", wrong, ada),
        lambda: store.delete_thread(wrong, ada),
        lambda: store.delete_thread_item("thr_1", wrong, ada),
        lambda: store.delete_thread_item(wrong, "m1", ada),
        lambda: store.save_attachment(wrong, ada),
        lambda: store.save_attachment(FileAttachment.model_construct(**{**one, "id": wrong}), ada),
        lambda: store.save_attachment(
            ImageAttachment.model_construct(**one, preview_url=wrong), ada
        ),
        lambda: store.load_attachment(wrong, ada),
        lambda: store.delete_attachment(wrong, ada),
        lambda: store.save_feedback("thr_1", [wrong], "positive", ada),
        lambda: store.save_feedback(
            "thr_1", wrong if wrong != ["thr_1"] else "m1", "positive", ada
        ),
        lambda: store.load_thread("thr_1", wrong),
    ]
    if wrong is not None:
        calls += [
            lambda: store.load_thread_items("thr_1", wrong, 3, "asc", ada),
            lambda: store.load_threads(3, wrong, "asc", ada),
            lambda: store.save_feedback("thr_1", ["m1"], wrong, ada),
        ]
    if backend.engine != "memory":
        calls += [
            lambda: store.save_item_if("thr_1", answer("m1"), ada, expected=wrong),
            lambda: store.delete_user(wrong),
        ]
    for make in calls:
        await refused(make)


@table
@pytest.mark.parametrize("wrong", [None, 7, b"thr_1", ["thr_1"], object()])
async def test_a_file_of_a_wrong_type_is_rejected(backend, store, refused, ada, wrong):
    files = backend.attachments()
    announced = {"name": "x", "size": 3, "mime_type": "text/plain"}
    for name in announced if wrong != 7 else ("name", "mime_type"):
        params = AttachmentCreateParams.model_construct(**{**announced, name: wrong})
        await refused(lambda: files.create_attachment(params, ada), AttachmentError)  # noqa: B023
    await refused(lambda: files.create_attachment(wrong, ada), AttachmentError)
    await refused(lambda: files.delete_attachment(wrong, ada))


@table
@pytest.mark.parametrize(
    "options",
    [
        *[{"purge": purge} for purge in ("Now", "", None, True, ["now"])],
        *[{"retention_days": days} for days in (0, -1, 0.5, 1.0, True, "30", float("nan"))],
    ],
    ids=str,
)
async def test_the_store_rejects_an_invalid_option(backend, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        backend.store(**options)


@table
@pytest.mark.parametrize("limit", [0, -1, -(10**12), True, 1.0, "3", None, [3]])
@pytest.mark.parametrize("listing", ["threads", "items", "turn", "opening"])
async def test_a_page_with_an_invalid_limit_is_rejected(store, refused, ada, limit, listing):
    ask = {
        "threads": lambda: store.load_threads(limit, None, "desc", ada),
        "items": lambda: store.load_thread_items("thr_1", None, limit, "desc", ada),
        "turn": lambda: store.read_turn("thr_1", limit, ada),
        "opening": lambda: store.open_turn("thr_1", limit, ada),
    }
    assert "limit" in await refused(ask[listing])


@every_store
@pytest.mark.parametrize("order", ["up", "", "ASC", "asc ", None, ["asc"]])
async def test_an_unknown_order_is_rejected(store, refused, ada, order):
    assert "order" in await refused(lambda: store.load_threads(3, None, order, ada))
    assert "order" in await refused(lambda: store.load_thread_items("thr_1", None, 3, order, ada))


@every_store
async def test_a_page_may_have_any_size(store, ada):
    for limit in (10**6, 10**12, 10**30):
        assert len((await store.load_thread_items("thr_1", None, limit, "asc", ada)).data) == 3
        assert len((await store.load_threads(limit, None, "asc", ada)).data) == 1


@every_store
async def test_an_empty_cursor_means_the_first_page_as_in_the_sdks_stores(store, ada):
    for order in ("asc", "desc"):
        whole = await store.load_thread_items("thr_1", None, 2, order, ada)
        assert await store.load_thread_items("thr_1", "", 2, order, ada) == whole
        assert await store.load_threads(2, "", order, ada) == await store.load_threads(
            2, None, order, ada
        )


@every_store
async def test_an_empty_id_works_like_any_other_id(store, refused, ada):
    """Some models send messages with an empty id. An unknown one is not found."""
    for make in (
        lambda: store.load_thread("", ada),
        lambda: store.load_item("thr_1", "", ada),
        lambda: store.load_attachment("", ada),
        lambda: store.add_thread_item("", message("m"), ada),
    ):
        await refused(make, NotFoundError)
    await store.add_thread_item("thr_1", message("", "empty"), ada)
    assert (await store.load_item("thr_1", "", ada)).content[0].text == "empty"
    await store.delete_thread_item("thr_1", "", ada)


@table
async def test_input_that_does_not_fit_a_row_is_rejected(store, refused, ada):
    for make in (
        lambda: store.save_thread(thread(metadata={"a": "x" * 200_000}), ada),
        lambda: store.save_thread(thread("x" * 10_000), ada),
        lambda: store.add_thread_item("thr_1", message("é" * 5_000), ada),
        lambda: store.save_attachment(
            FileAttachment(id="f", name="f", mime_type="a/b", metadata={"a": "x" * 400_000}), ada
        ),
        lambda: store.save_attachment(
            FileAttachment(id="x" * 10_000, name="f", mime_type="a/b"), ada
        ),
    ):
        assert "over" in await refused(make)


@every_store
async def test_a_metadata_key_that_is_not_text_is_rejected(store, refused, ada):
    loaded = await store.load_thread("thr_1", ada)
    loaded.metadata[1] = "one"
    await refused(lambda: store.save_thread(loaded, ada))


@table
async def test_an_invalid_item_does_not_start_a_run(store, refused, ada):
    import time

    from functions.store import Run

    run = Run("r", "thr_1", time.time() + 60)
    await refused(lambda: store.begin_run(run, ada, item=hidden(NAN)))
    await store.begin_run(run, ada, item=hidden(1))
