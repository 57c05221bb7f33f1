"""What the table's stream tells of a person's acts, to whoever counts or publishes them."""

from chatkit.types import EndOfTurnItem

from functions.store.schema import CHANGE_FILTERS
from infra.local.events import passes
from tests.store.samples import NOON, answer, message, thread
from tests.store.test_store_deletion import upload


def told(backend):
    """The records that the changes function gets, as event, sort key and new row."""
    return [
        (
            record["eventName"],
            record["dynamodb"]["Keys"]["sk"]["S"],
            record["dynamodb"].get("NewImage", {}),
        )
        for record in backend.stream()
        if passes(record, CHANGE_FILTERS)
    ]


async def test_a_mark_that_is_taken_back_is_a_row_without_a_kind_for_a_day(backend, ada):
    """So only a purge and TTL remove marks, and a removal is nobody's act."""
    store = backend.store()
    await store.save_thread(thread("thr_1"), ada)
    await store.add_thread_item(
        "thr_1", EndOfTurnItem(id="m", thread_id="thr_1", created_at=NOON), ada
    )
    for kind in ("positive", "negative", None):
        await store.save_feedback("thr_1", ["m"], kind, ada)
    exported = [found["type"] async for found in store.export_user(ada.user_id)]
    assert exported == ["thread", "item"]
    await store.delete_thread("thr_1", ada)
    marks = [(event, row) for event, sort, row in told(backend) if sort == "FB#m"]
    assert marks.pop() == ("REMOVE", {})
    assert [(event, row.get("kind", {}).get("S")) for event, row in marks] == [
        ("INSERT", "positive"),
        ("MODIFY", "negative"),
        ("MODIFY", None),
    ]
    assert ["expires" in row for _, row in marks] == [False, False, True]


async def test_only_what_is_counted_or_published_reaches_the_changes_function(backend, ada):
    """Whatever else is written for a message, a title or a deletion starts no invocation."""
    store = backend.store()
    await store.save_thread(thread("thr_1"), ada)
    await store.name_thread(await store.load_thread("thr_1", ada), "Mine", ada)
    file = await upload(backend, store, ada)
    sent = file.model_copy(update={"thread_id": "thr_1"})
    await store.save_attachment(sent, ada)
    await store.add_thread_item("thr_1", message("m", "Hi", attachments=[sent]), ada)
    await store.add_thread_item("thr_1", message("m", "Hi!", attachments=[sent]), ada)
    await store.add_thread_item("thr_1", answer("a", "Hello"), ada)
    await store.save_feedback("thr_1", ["a"], "positive", ada)
    await store.delete_thread_item("thr_1", "a", ada)
    await store.delete_thread("thr_1", ada)
    await store.delete_user(ada.user_id)
    whole = [
        (event, sort.partition("#")[0])
        for event, sort, row in told(backend)
        if sort != "HEAD" or "position" in row  # moto inserts the key alone first
    ]
    assert whole == [
        ("INSERT", "HEAD"),
        ("INSERT", "ATT"),
        ("INSERT", "ITEM"),
        ("INSERT", "FB"),
        ("REMOVE", "FB"),
        ("REMOVE", "THREAD"),
        ("INSERT", "TOMBSTONE"),
        ("INSERT", "DELETED"),
    ]
    (described,) = (row for event, sort, row in told(backend) if sort.startswith("ATT#"))
    assert described["type"] == {"S": file.mime_type}
    assert file.name not in str(described)
