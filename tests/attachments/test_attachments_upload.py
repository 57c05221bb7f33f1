"""Files from their announcement to their message, and the requests that are rejected."""

import io
import json
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.store import NotFoundError
from chatkit.types import (
    AttachmentCreateParams,
    ThreadMetadata,
)
from PIL import Image
from pydantic import AnyUrl

from functions.attachments import AttachmentError, S3AttachmentStore, schema
from functions.attachments.schema import TEXT_EXTENSIONS
from functions.settings import Settings
from infra.stack.page_config import page_config

NOW = datetime(2026, 1, 2)


def picture(kind):
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "teal").save(out, kind)
    return out.getvalue()


PNG = picture("PNG").ljust(208, b"\x00")
FIRST = {
    "image/png": PNG,
    "image/jpeg": picture("JPEG"),
    "image/gif": picture("GIF"),
    "image/webp": picture("WEBP"),
    "application/pdf": b"\xef\xbb\xbf%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
}


def announced(name="cat.png", size=208, mime_type="image/png"):
    return AttachmentCreateParams(name=name, size=size, mime_type=mime_type)


async def put(place, attachment, data):
    descriptor = attachment.upload_descriptor
    return await place.http.request(
        descriptor.method, str(descriptor.url), content=data, headers=descriptor.headers
    )


async def uploaded(place, context, data=PNG, **file):
    made = await place.files().create_attachment(announced(**{"size": len(data), **file}), context)
    await place.store().save_attachment(made, context)
    assert (await put(place, made, data)).status_code == 200
    return made


class Echo(ChatKitServer):
    """The SDK's own server with our stores, and nothing else."""

    async def respond(self, thread, item, context):
        return
        yield


async def ask(server, context, request):
    result = await server.process(json.dumps(request), context)
    if isinstance(result, NonStreamingResult):
        return json.loads(result.json)
    assert isinstance(result, StreamingResult)
    return [json.loads(event.removeprefix(b"data: ")) async for event in result]


def create(*attachments):
    content = [{"type": "input_text", "text": "look"}]
    given = {"content": content, "attachments": list(attachments), "inference_options": {}}
    return {"type": "threads.create", "params": {"input": given}}


async def test_a_file_gets_from_the_page_into_a_message_with_the_sdks_own_server(place, ada):
    server = Echo(place.store(), place.files())
    made = await ask(
        server,
        ada,
        {"type": "attachments.create", "params": announced("Kätzchen 😀.png").model_dump()},
    )
    assert "metadata" not in made
    upload = made["upload_descriptor"]
    assert upload["method"] == "PUT"
    sent = await place.http.put(upload["url"], content=PNG, headers=upload["headers"])
    assert sent.status_code == 200
    assert (await place.http.get(made["preview_url"])).content == PNG

    events = await ask(server, ada, create(made["id"]))
    (item,) = [event["item"] for event in events if event["type"] == "thread.item.done"]
    (carried,) = item["attachments"]
    assert carried["name"] == "Kätzchen 😀.png"
    assert "upload_descriptor" not in carried

    thread_id = item["thread_id"]
    page = await ask(server, ada, {"type": "items.list", "params": {"thread_id": thread_id}})
    (reloaded,) = page["data"][0]["attachments"]
    assert "upload_descriptor" not in reloaded
    assert (await place.http.get(reloaded["preview_url"])).content == PNG
    # The preview no longer shows the upload, which S3 removes after a day.
    place.s3.delete_object(Bucket="chatkit-files", Key=_key(made["preview_url"]))
    assert (await place.http.get(reloaded["preview_url"])).content == PNG
    record = await place.store().load_attachment(made["id"], ada)
    assert (record.upload_descriptor, record.thread_id) == (None, thread_id)


async def test_the_upload_link_signs_type_length_and_condition_for_ten_minutes(place, ada):
    made = await place.files().create_attachment(announced(), ada)
    query = parse_qs(urlsplit(str(made.upload_descriptor.url)).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
    assert query["X-Amz-Expires"] == ["600"]
    assert made.upload_descriptor.headers == {"Content-Type": "image/png", "If-None-Match": "*"}


async def test_an_upload_link_works_once_and_what_came_first_stays(place, ada):
    made = await place.files().create_attachment(announced(), ada)
    assert (await put(place, made, PNG)).status_code == 200
    assert (await put(place, made, PNG[::-1])).status_code == 412
    assert await place.files().read(made, ada) == PNG


async def test_an_upload_link_works_again_after_its_upload_was_removed(place, ada):
    made = await uploaded(place, ada)
    await place.files().delete_attachment(made.id, ada)
    assert (await put(place, made, PNG)).status_code == 200
    await place.store().delete_attachment(made.id, ada)
    server = Echo(place.store(), place.files())
    with pytest.raises(NotFoundError):
        await ask(server, ada, create(made.id))


def test_the_bucket_lets_pages_send_the_signed_headers(place):
    (rule,) = place.s3.get_bucket_cors(Bucket="chatkit-files")["CORSRules"]
    assert rule["AllowedHeaders"] == ["content-type", "if-none-match"]


async def test_pydantic_does_not_change_a_signed_link(place, ada):
    """The signature covers path and query: S3 answers 403 if one character changes."""
    url = place.files().bucket.sign_get("files/a/b", draft=1)
    assert str(AnyUrl(url)) == url


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b#c?d", "😀" * 60, "x.png\r\nA: b", "'\"<>"]
)
async def test_a_files_name_is_kept_and_is_not_part_of_its_key(place, ada, name):
    made = await uploaded(place, ada, name=name)
    store = place.store()
    assert (await store.load_attachment(made.id, ada)).name == name
    (key,) = place.objects()
    prefix, user, rest = key.split("/")
    assert (prefix, len(user), len(rest)) == ("uploads", 32, 32)
    assert await place.files().read(made, ada) == PNG


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ({"size": 20 * 1024 * 1024 + 1}, "too large"),
        ({"size": 0}, "empty"),
        ({"size": -1}, "empty"),
        ({"name": "cat", "mime_type": "application/x-msdownload"}, "cannot be attached"),
        ({"name": "cat", "mime_type": "nonsense"}, "not known"),
        ({"mime_type": "image/png\r\nx: y"}, "not known"),
        ({"name": "cat", "mime_type": "имя/тип"}, "not known"),
        ({"mime_type": "text/" + "x" * 251}, "at most 255"),
        ({"mime_type": "text/" + "x" * 200_000}, "at most 255"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
    ],
)
async def test_a_file_that_cannot_be_attached_is_rejected_with_a_message(place, ada, file, why):
    files = place.files(types=["image/*", "text/*", "nonsense"])
    with pytest.raises(AttachmentError, match=why):
        await files.create_attachment(announced(**file), ada)


@pytest.mark.parametrize(
    "file",
    [
        {"mime_type": "application/x-msdownload", "name": "run.exe"},
        {"mime_type": "application/octet-stream", "name": "data"},
        {"mime_type": "", "name": "名前 – без имени 😀"},
    ],
)
async def test_a_refusal_says_which_types_are_taken(place, ada, file):
    files = place.files(types=Settings().attachment_types)
    with pytest.raises(AttachmentError) as refused:
        await files.create_attachment(announced(**file), ada)
    assert file["name"] in refused.value.message
    kinds = ("PNG", "JPEG", "GIF", "WebP", "PDF", "Word (.docx)", "Excel (.xlsx)", "text", "JSON")
    for kind in kinds:
        assert kind in refused.value.message


@pytest.mark.parametrize("mime_type", ["", "application/octet-stream", "image/jpg", "image/pjpeg"])
@pytest.mark.parametrize(
    ("name", "known"),
    [("PHOTO.JPG", "image/jpeg"), ("a b.pdf", "application/pdf"), ("x.tar.png", "image/png")],
)
async def test_a_file_without_a_type_that_is_taken_has_the_type_of_its_name(
    place, ada, name, mime_type, known
):
    files = place.files(types=Settings().attachment_types)
    made = await files.create_attachment(announced(name, 4, mime_type), ada)
    assert made.mime_type == known


async def test_the_longest_valid_type_is_accepted(place, ada):
    longest = "x" * 127 + "/" + "x" * 127
    made = await uploaded(place, ada, mime_type=longest)
    assert (await place.store().load_attachment(made.id, ada)).mime_type == longest


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.ts", "video/mp2t"),
        ("a.py", ""),
        ("A.YAML", "application/octet-stream"),
        ("a.csv", "application/vnd.ms-excel"),
        ("run.sh", "application/x-sh"),
        ("q.sql", "application/sql"),
    ],
)
async def test_code_and_tables_are_text_whatever_type_a_browser_gives_them(
    place, ada, name, mime_type
):
    types = Settings().attachment_types
    made = await place.files(types=types).create_attachment(announced(name, 4, mime_type), ada)
    assert made.mime_type == made.upload_descriptor.headers["Content-Type"] == "text/plain"
    for other in ("a.exe", "py", "a.ts.exe", ".sh"):
        with pytest.raises(AttachmentError):
            await place.files(types=types).create_attachment(announced(other, 4, mime_type), ada)


def test_the_page_offers_the_files_that_the_server_accepts():
    accept = page_config(Settings())["attachments"]["accept"]
    assert set(accept) == set(Settings().attachment_types)
    assert set(TEXT_EXTENSIONS) <= set(accept["text/*"])
    assert all(accept.values())


async def test_another_users_file_can_neither_be_loaded_nor_sent_nor_deleted(place, ada, bob):
    made = await uploaded(place, ada)
    store, files = place.store(), place.files()
    with pytest.raises(NotFoundError):
        await store.load_attachment(made.id, bob)
    with pytest.raises(NotFoundError):
        await ask(Echo(store, files), bob, create(made.id))
    await files.delete_attachment(made.id, bob)
    await store.delete_attachment(made.id, bob)
    assert await files.read(made, bob) is None
    assert await files.read(made, ada) == PNG


async def test_deleting_an_attachment_removes_its_record_and_its_bytes(place, ada):
    server = Echo(place.store(), place.files())
    made = await uploaded(place, ada)
    await place.files().check_uploaded(made, ada)
    request = {"type": "attachments.delete", "params": {"attachment_id": made.id}}
    assert await ask(server, ada, request) == {}
    assert place.objects() == []
    with pytest.raises(NotFoundError):
        await place.store().load_attachment(made.id, ada)
    assert await ask(server, ada, request) == {}


async def test_links_are_signed_on_every_load_and_never_stored(place, ada):
    store = place.store()
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=NOW), ada)
    made = await uploaded(place, ada)
    await store.save_attachment(made.model_copy(update={"thread_id": "thr_1"}), ada)
    stored = place.dynamodb.scan(TableName="chatkit")["Items"]
    (body,) = [
        row["body"]["S"] for row in stored if row["sk"]["S"].startswith("ATT#") and "body" in row
    ]
    assert "X-Amz" not in body
    assert json.loads(body)["preview_url"].startswith("s3://chatkit-files/files/")
    loaded = await store.load_attachment(made.id, ada)
    query = parse_qs(urlsplit(str(loaded.preview_url)).query)
    assert int(query["X-Amz-Expires"][0]) <= 3600
    assert (await place.http.get(str(loaded.preview_url))).content == PNG


async def test_an_attachment_of_another_store_is_not_changed(place, ada):
    """A link of another store is neither checked in our bucket nor signed."""
    from chatkit.types import ImageAttachment

    foreign = ImageAttachment(
        id="x",
        name="x",
        mime_type="image/png",
        preview_url="https://example.com/x.png?X-Amz-Signature=1",
        thread_id="thr_1",
        metadata={"their": "own"},
    )
    store = place.store()
    await store.save_attachment(foreign, ada)
    assert await store.load_attachment("x", ada) == foreign


async def test_a_key_of_another_user_is_never_signed(place, ada, bob):
    from chatkit.types import ImageAttachment

    made = await uploaded(place, bob)
    key = place.files().key(made, bob)
    forged = ImageAttachment(
        id="x", name="x", mime_type="image/png", preview_url=f"s3://chatkit-files/{key}"
    )
    store = place.store()
    await store.save_attachment(forged, ada)
    assert "X-Amz" not in str((await store.load_attachment("x", ada)).preview_url)


def test_only_unsent_uploads_expire_after_a_day(place):
    rules = place.s3.get_bucket_lifecycle_configuration(Bucket="chatkit-files")["Rules"]
    expiring = {
        rule["Filter"]["Prefix"]: rule["Expiration"]["Days"]
        for rule in rules
        if "Days" in rule.get("Expiration", {})
    }
    assert expiring == {schema.UPLOADS: 1}


def _key(url):
    return urlsplit(url).path.removeprefix("/chatkit-files/")


async def test_a_plain_boto3_client_signs_the_same_headers(ada, monkeypatch):
    """In us-east-1, boto3 signs with the old version by default."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    plain = boto3.Session().client("s3", region_name="us-east-1")
    files = S3AttachmentStore("chatkit-files", client=plain)
    made = await files.create_attachment(announced(), ada)
    signed = parse_qs(urlsplit(str(made.upload_descriptor.url)).query)
    assert signed["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
    assert "X-Amz-Signature" in str(made.preview_url)
