"""What is wrong with a request's files is said before its stream starts."""

import json

import pytest
from chatkit.types import ChatKitReq, FileAttachment, ThreadMetadata
from pydantic import TypeAdapter

from functions.attachments import AttachmentError
from functions.errors import PublicError
from functions.server import check_files
from functions.store import MemoryStore
from tests.attachments.test_attachments_upload import (
    NOW,
    PNG,
    Echo,
    announced,
    ask,
    create,
    uploaded,
)


def add(thread_id, *attachments):
    request = create(*attachments)
    request["params"]["thread_id"] = thread_id
    return {**request, "type": "threads.add_user_message"}


@pytest.fixture
def check(place):
    """Check a request as the body that came, and as the request that a server has parsed."""

    async def refusal(request, context):
        body = json.dumps(request)
        said = set()
        for given in (body, body.encode(), TypeAdapter(ChatKitReq).validate_json(body)):
            try:
                await check_files(given, context, place.store(), place.files())
            except PublicError as refused:
                said.add((refused.status, bool(refused.message)))
            else:
                said.add((None, True))
        ((status, with_a_message),) = said
        assert with_a_message
        return status

    return refusal


async def test_a_file_that_can_be_sent_is_sent_after_the_check(place, check, ada):
    server = Echo(place.store(), place.files())
    made = await uploaded(place, ada)
    before = place.objects()
    assert await check(create(made.id), ada) is None
    assert place.objects() == before  # nothing was kept yet
    events = await ask(server, ada, create(made.id))
    (item,) = [event["item"] for event in events if event["type"] == "thread.item.done"]
    assert await check(add(item["thread_id"], made.id), ada) is None


async def test_a_file_of_somebody_else_or_of_nobody_is_not_found(place, check, ada, bob):
    made = await uploaded(place, ada)
    for request in (create(made.id), add("thr_1", made.id), create("never"), create(made.id, "no")):
        assert await check(request, bob) == 404


async def test_a_file_of_another_conversation_is_refused(place, check, ada):
    made = await uploaded(place, ada)
    await ask(Echo(place.store(), place.files()), ada, create(made.id))
    for request in (create(made.id), add("thr_other", made.id)):
        assert await check(request, ada) == 409


@pytest.mark.parametrize(
    ("data", "status"), [(None, 409), (PNG + b"more", 409), (b"\x00" * len(PNG), 415)]
)
async def test_a_file_that_has_not_arrived_as_announced_is_refused(place, check, ada, data, status):
    made = await place.files().create_attachment(announced(), ada)
    await place.store().save_attachment(made, ada)
    if data is not None:
        key = place.files().key(made, ada)
        place.s3.put_object(Bucket="chatkit-files", Key=key, Body=data)
    assert await check(create(made.id), ada) == status
    assert (await place.store().load_threads(9, None, "desc", ada)).data == []


async def test_a_request_without_files_reads_nothing_and_other_requests_pass():
    nothing = None  # neither a store nor files
    for request in (
        create(),
        add("thr_1"),
        {"type": "threads.list", "params": {}},
        {"type": "threads.retry_after_item", "params": {"thread_id": "t", "item_id": "i"}},
    ):
        await check_files(json.dumps(request), {"user_id": "ada"}, nothing, nothing)


async def test_files_that_are_not_in_s3_are_checked_by_their_records(ada, bob):
    store = MemoryStore()
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=NOW), ada)
    file = FileAttachment(id="f", name="f", mime_type="text/plain", thread_id="thr_1")
    await store.save_attachment(file, ada)
    await check_files(json.dumps(add("thr_1", "f")), ada, store)
    for request, context, status in ((create("f"), ada, 409), (add("thr_1", "f"), bob, 404)):
        with pytest.raises(PublicError) as refused:
            await check_files(json.dumps(request), context, store)
        assert refused.value.status == status


@pytest.mark.parametrize("body", ["", b"{", "[]", b"\xff", '{"type": "threads.create"}'])
async def test_a_body_that_is_no_request_is_a_400(ada, body):
    with pytest.raises(PublicError) as refused:
        await check_files(body, ada, MemoryStore())
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("file", "status"),
    [
        ({"size": 20 * 1024 * 1024 + 1}, 413),
        ({"name": "run.exe", "mime_type": "application/x-msdownload"}, 415),
        ({"name": "cat", "mime_type": "nonsense"}, 415),
        ({"size": 0}, 422),
        ({"name": ""}, 422),
    ],
)
async def test_a_refused_announcement_has_the_status_of_what_is_wrong(place, ada, file, status):
    files = place.files(types=["image/*", "nonsense"])
    with pytest.raises(AttachmentError) as refused:
        await files.create_attachment(announced(**file), ada)
    assert refused.value.status == status
