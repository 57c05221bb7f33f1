"""Signed links: the requests that they allow, by S3's rules, and for how long.

moto checks no signatures. `admits` checks them by the rules that AWS publishes for S3:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import pytest
from chatkit.types import (
    AttachmentCreateParams,
    GeneratedImage,
    GeneratedImageItem,
    InferenceOptions,
    ThreadMetadata,
    UserMessageItem,
)

from functions.actions.voice_notes import VoiceNotes
from functions.limit_table import LimitTable
from functions.limits import Limits
from functions.store.table import Table
from tests.attachments.test_attachments_upload import NOW, PNG, uploaded

SECRET = "test"


def admits(request: httpx2.Request, now: datetime) -> bool:
    """Whether S3 would accept a request with a presigned URL."""
    parts = urlsplit(str(request.url))
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    signature = query.pop("X-Amz-Signature")
    names = query["X-Amz-SignedHeaders"].split(";")
    if any(name not in request.headers for name in names):
        return False
    canonical = "\n".join(
        [
            request.method,
            quote(parts.path, safe="/~%"),
            "&".join(
                f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(query.items())
            ),
            *[f"{name}:{request.headers[name].strip()}" for name in names],
            "",
            ";".join(names),
            "UNSIGNED-PAYLOAD",
        ]
    )
    scope = query["X-Amz-Credential"].split("/")[1:]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([query["X-Amz-Algorithm"], query["X-Amz-Date"], "/".join(scope), digest])
    key = f"AWS4{SECRET}".encode()
    for step in [*scope, text]:
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    began = datetime.strptime(f"{query['X-Amz-Date']}+0000", "%Y%m%dT%H%M%SZ%z")
    over = began + timedelta(seconds=int(query["X-Amz-Expires"]))
    return hmac.compare_digest(key.hex(), signature) and now < over


def soon(**later) -> datetime:
    return datetime.now().astimezone() + timedelta(**later)


@pytest.fixture
async def made(place, ada):
    announced = AttachmentCreateParams(name="ü 😀.png", size=len(PNG), mime_type="image/png")
    return await place.files().create_attachment(announced, ada)


def put(attachment, data=PNG, **changed):
    descriptor = attachment.upload_descriptor
    headers = {**descriptor.headers, **changed}
    return httpx2.Request("PUT", str(descriptor.url), headers=headers, content=data)


async def test_an_upload_with_the_announced_length_and_type_is_accepted(place, made):
    assert admits(put(made), soon())
    assert (await place.http.send(put(made))).status_code == 200


@pytest.mark.parametrize("data", [b"", PNG[:-1], PNG + b"!", PNG * 1000], ids=len)
async def test_an_upload_with_another_length_is_rejected(made, data):
    assert not admits(put(made, data), soon())


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "image/png; charset=x", ""])
async def test_an_upload_with_another_type_is_rejected(made, kind):
    assert not admits(put(made, **{"Content-Type": kind}), soon())
    nameless = put(made)
    del nameless.headers["content-type"]
    assert not admits(nameless, soon())


@pytest.mark.parametrize("condition", ['"an-etag"', ""])
async def test_an_upload_without_its_condition_is_rejected(made, condition):
    """Otherwise it would replace the file that is there."""
    assert not admits(put(made, **{"If-None-Match": condition}), soon())
    without = put(made)
    del without.headers["if-none-match"]
    assert not admits(without, soon())


async def test_an_upload_link_works_for_one_key_one_method_and_ten_minutes(made):
    url = str(made.upload_descriptor.url)
    headers = put(made).headers
    elsewhere = url.replace("/uploads/", "/files/")
    assert not admits(httpx2.Request("PUT", elsewhere, headers=headers, content=PNG), soon())
    assert not admits(httpx2.Request("GET", url, headers=headers), soon())
    assert admits(put(made), soon(minutes=9))
    assert not admits(put(made), soon(minutes=11))


async def test_no_link_is_valid_for_more_than_an_hour(place, ada):
    """Links of previews, items, images and exports work for less than an hour."""
    store, files = place.store(), place.files()
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=NOW), ada)
    sent = await uploaded(place, ada, name="ü 😀.png")
    first = str(sent.preview_url)
    sent = sent.model_copy(update={"thread_id": "thr_1"})
    await store.save_attachment(sent, ada)
    common = {"thread_id": "thr_1", "created_at": NOW}
    await store.add_thread_item(
        "thr_1",
        UserMessageItem(
            id="m", content=[], attachments=[sent], inference_options=InferenceOptions(), **common
        ),
        ada,
    )
    drawn = await files.put_image("thr_1", "img", PNG, ada)
    image = GeneratedImage(id="img", url=drawn)
    await store.add_thread_item("thr_1", GeneratedImageItem(id="i", image=image, **common), ada)
    message, picture = (await store.load_thread_items("thr_1", None, 9, "desc", ada)).data[::-1]
    if isinstance(message, GeneratedImageItem):
        message, picture = picture, message
    exported = [entry["url"] async for entry in store.export_user(ada.user_id) if "url" in entry]
    assert len(exported) == 1
    links = [
        first,
        str(sent.preview_url),
        str((await store.load_attachment(sent.id, ada)).preview_url),
        str(message.attachments[0].preview_url),
        str((await store.load_item("thr_1", "m", ada)).attachments[0].preview_url),
        drawn,
        picture.image.url,
        *exported,
    ]
    for link in links:
        request = httpx2.Request("GET", link)
        assert admits(request, soon(minutes=55))
        assert not admits(request, soon(minutes=61))
        assert (await place.http.get(link)).content == PNG


async def test_a_recordings_upload_link_signs_its_length_type_and_condition(place, ada):
    services = SimpleNamespace(
        bucket=place.store().bucket,
        dictation=SimpleNamespace(check_available=lambda: None),
        settings=SimpleNamespace(transcription_max_bytes=10**6),
        limits=Limits(LimitTable(), Table("t")),
    )
    upload = await VoiceNotes(services).upload("audio/webm", 2000, ada)
    for size, admitted in ((2000, True), (2001, False)):
        request = httpx2.Request(
            "PUT", upload["url"], headers=upload["headers"], content=bytes(size)
        )
        assert admits(request, soon()) == admitted
        del request.headers["if-none-match"]
        assert not admits(request, soon())
