"""The check of a message's files when it is sent, and the copies that are kept."""

import io
import time

import pytest
from botocore.awsrequest import AWSResponse
from chatkit.store import NotFoundError
from chatkit.types import (
    InferenceOptions,
    ThreadMetadata,
    UserMessageItem,
)

from functions.attachments import AttachmentError
from functions.store import Run
from tests.attachments.test_attachments_upload import (
    FIRST,
    NOW,
    PNG,
    Echo,
    announced,
    ask,
    create,
    put,
    uploaded,
)


@pytest.mark.parametrize("mime_type", FIRST)
async def test_a_file_that_is_what_it_claims_to_be_is_kept(place, ada, mime_type):
    made = await uploaded(place, ada, FIRST[mime_type], mime_type=mime_type)
    await place.files().check_uploaded(made, ada)
    await place.files().check_uploaded(made, ada)
    sent = made.model_copy(update={"thread_id": "thr_1"})
    assert await place.files().read(sent, ada) == FIRST[mime_type]


OTHERS = [(a, b) for a in FIRST for b in FIRST if a != b]


@pytest.mark.parametrize(("claimed", "really"), OTHERS)
async def test_a_file_of_another_type_than_announced_is_what_its_bytes_show(
    place, ada, claimed, really
):
    files = place.files()
    made = await uploaded(place, ada, FIRST[really], mime_type=claimed)
    arrived = await files.look(made, ada)
    await files.keep(arrived)
    assert (made.mime_type, arrived.attachment.mime_type) == (claimed, really)
    assert arrived.attachment.type == ("image" if really.startswith("image/") else "file")
    kept = place.s3.head_object(
        Bucket="chatkit-files", Key=files.key(made.model_copy(update={"thread_id": "t"}), ada)
    )
    assert kept["ContentType"] == really
    if really.startswith("image/"):
        shown = await place.http.get(str(arrived.attachment.preview_url))
        assert shown.content == FIRST[really]


@pytest.mark.parametrize(("claimed", "really"), OTHERS)
async def test_the_sdks_own_instance_gets_the_type_that_its_bytes_show(place, ada, claimed, really):
    """Its class cannot change, so an image's instance cannot become a PDF's."""
    store, made = place.store(), await uploaded(place, ada, FIRST[really], mime_type=claimed)
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=NOW), ada)
    sent = made.model_copy(update={"thread_id": "thr_1"})
    if really == "application/pdf":
        with pytest.raises(AttachmentError, match="not a valid"):
            await store.save_attachment(sent, ada)
        return
    await store.save_attachment(sent, ada)
    assert sent.mime_type == really
    assert (await store.load_attachment(made.id, ada)).mime_type == really


@pytest.mark.parametrize("mime_type", FIRST)
@pytest.mark.parametrize("data", [b"<script>alert(1)</script>", b"MZ\x90\x00", b"\x00" * 208])
async def test_a_file_that_is_neither_image_nor_pdf_and_claims_to_be_one_is_rejected(
    place, ada, mime_type, data
):
    made = await uploaded(place, ada, data, mime_type=mime_type)
    with pytest.raises(AttachmentError, match="not a valid"):
        await place.files().check_uploaded(made, ada)
    assert [key for key in place.objects() if key.startswith("files/")] == []


@pytest.mark.parametrize("mime_type", ["text/plain", "application/octet-stream"])
async def test_an_image_that_was_announced_as_something_else_is_an_image(place, ada, mime_type):
    made = await uploaded(place, ada, mime_type=mime_type)
    assert (await place.files().look(made, ada)).attachment.type == "image"
    text = await uploaded(place, ada, b"GIF89a is a format", name="formats", mime_type=mime_type)
    assert (await place.files().look(text, ada)).attachment.mime_type == mime_type


async def test_a_file_whose_bytes_show_a_type_that_is_not_taken_is_rejected(place, ada):
    made = await uploaded(place, ada, FIRST["application/pdf"])
    with pytest.raises(AttachmentError, match="cannot be attached"):
        await place.files(types=["image/*"]).look(made, ada)


async def test_a_file_that_was_not_uploaded_or_has_another_size_is_rejected(place, ada):
    files = place.files()
    missing = await files.create_attachment(announced(), ada)
    with pytest.raises(AttachmentError, match="not uploaded"):
        await files.check_uploaded(missing, ada)
    place.s3.put_object(Bucket="chatkit-files", Key=files.key(missing, ada), Body=PNG + b"more")
    with pytest.raises(AttachmentError, match="instead of"):
        await files.check_uploaded(missing, ada)


async def test_a_message_with_a_file_that_was_not_uploaded_leaves_no_broken_thread(place, ada):
    store, files = place.store(), place.files()
    server = Echo(store, files)
    made = await ask(
        server, ada, {"type": "attachments.create", "params": announced().model_dump()}
    )
    with pytest.raises(AttachmentError, match="not uploaded"):
        await ask(server, ada, create(made["id"]))
    for thread in (await store.load_threads(9, None, "desc", ada)).data:
        assert (await store.load_thread_items(thread.id, None, 9, "asc", ada)).data == []


async def test_a_checked_file_cannot_be_replaced_with_its_upload_link(place, ada):
    made = await uploaded(place, ada)
    await place.files().check_uploaded(made, ada)
    await put(place, made, b"\x00" * len(PNG))
    sent = made.model_copy(update={"thread_id": "thr_1"})
    assert await place.files().read(sent, ada) == PNG


async def test_a_sent_file_cannot_be_replaced_by_sending_it_again(place, ada):
    made = await uploaded(place, ada)
    sent = made.model_copy(update={"thread_id": "thr_1"})
    await place.files().check_uploaded(sent, ada)
    await put(place, made, FIRST["image/png"][:-1] + b"!")
    await place.files().check_uploaded(sent, ada)
    assert await place.files().read(sent, ada) == PNG
    await put(place, made, b"\x00" * len(PNG))  # no longer an image
    await place.files().check_uploaded(sent, ada)


async def test_only_the_bytes_that_were_checked_are_kept(place, ada):
    """The copy has the ETag of the checked object as its condition, so S3 rejects a changed one."""
    made = await uploaded(place, ada)
    sent = {}
    events = place.s3.meta.events

    def refuse(request, **_):
        sent.update(request.headers)
        refusal = b"<Error><Code>PreconditionFailed</Code></Error>"
        return AWSResponse(request.url, 412, {}, _Raw(refusal))

    events.register("before-send.s3.CopyObject", refuse)
    try:
        with pytest.raises(AttachmentError, match="changed"):
            await place.files().check_uploaded(made, ada)
    finally:
        events.unregister("before-send.s3.CopyObject", refuse)
    head = place.s3.head_object(Bucket="chatkit-files", Key=place.files().key(made, ada))
    assert sent["x-amz-copy-source-if-match"].decode() == head["ETag"]


@pytest.mark.parametrize("swapped", [FIRST["image/png"][:-1] + b"!", b"\x00" * len(PNG), None])
async def test_a_file_that_changes_during_its_check_is_rejected(place, ada, swapped):
    made = await uploaded(place, ada)
    files, events = place.files(), place.s3.meta.events
    where = {"Bucket": "chatkit-files", "Key": files.key(made, ada)}

    def swap(**_):
        if swapped is None:
            place.s3.delete_object(**where)
        else:
            place.s3.put_object(**where, Body=swapped)

    events.register("after-call.s3.HeadObject", swap)
    try:
        with pytest.raises(AttachmentError, match=r"changed while it was sent\. Please attach"):
            await files.look(made, ada)
    finally:
        events.unregister("after-call.s3.HeadObject", swap)


@pytest.mark.parametrize("given", [None, "atc_1", {"id": "atc_1"}])
async def test_an_argument_that_is_not_an_attachment_is_rejected(place, ada, given):
    files = place.files()
    for call in (files.check_uploaded, files.look, files.read):
        with pytest.raises(ValueError, match="AttachmentBase is needed, not"):
            await call(given, ada)
    with pytest.raises(ValueError, match="Arrived is needed, not"):
        await files.keep(given)
    with pytest.raises(ValueError, match="GeneratedImageItem is needed, not"):
        await files.read_image(given, ada)


@pytest.mark.parametrize("data", [None, "abc", [137, 80], 7])
async def test_an_image_that_is_not_bytes_is_rejected(place, ada, data):
    with pytest.raises(ValueError, match="bytes or bytearray is needed, not"):
        await place.files().put_image("thr_1", "img_1", data, ada)
    assert place.objects() == []


async def test_checking_a_file_takes_the_documented_number_of_requests(place, ada):
    made = await uploaded(place, ada)
    sent, files = made.model_copy(update={"thread_id": "thr_1"}), place.files()
    asked, events = [], place.s3.meta.events

    def note(model, **_):
        asked.append(model.name)

    events.register("before-call.s3", note)
    try:
        counts = []
        for call in (
            files.look(made, ada),
            files.look(sent, ada),
            files.check_uploaded(made, ada),
            files.look(sent, ada),
        ):
            await call
            counts.append(len(asked))
            asked.clear()
        await files.delete_attachment(made.id, ada)
        await put(place, made, PNG)
        asked.clear()
        await files.check_uploaded(sent, ada)
    finally:
        events.unregister("before-call.s3", note)
    assert counts == [2, 3, 3, 1]
    assert asked == ["HeadObject", "HeadObject", "GetObject", "CopyObject"]


class _Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()


async def test_a_file_can_start_only_one_conversation(place, ada):
    """Both found the file unused. It is removed with its conversation, so it can be in only one."""
    store, made = place.store(), await uploaded(place, ada)

    def begin(name):
        sent = made.model_copy(update={"thread_id": name})
        item = UserMessageItem(
            id=f"m_{name}",
            thread_id=name,
            created_at=NOW,
            content=[],
            attachments=[sent, sent],
            inference_options=InferenceOptions(),
        )
        run = Run(f"run_{name}", name, time.time() + 60)
        return store.begin_run(run, ada, thread=ThreadMetadata(id=name, created_at=NOW), item=item)

    await begin("thr_1")
    with pytest.raises(NotFoundError, match="in another thread"):
        await begin("thr_2")
    assert [each.id for each in (await store.load_threads(9, None, "desc", ada)).data] == ["thr_1"]
    assert (await store.load_attachment(made.id, ada)).thread_id == "thr_1"
