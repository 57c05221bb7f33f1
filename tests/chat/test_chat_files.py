"""Files are announced, uploaded, attached and sent to the model. Generated images are stored."""

import base64
import io
import json

import httpx2
import pytest
from PIL import Image

from functions import aws
from functions.settings import get_settings
from tests.support.chat import message, text_of, thread_of
from tests.support.openai_server import Draw, Say

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _jpeg():
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "teal").save(out, "JPEG")
    return out.getvalue()


JPEG = _jpeg()


def announced(chat, data, name="dot.png", mime_type="image/png"):
    return chat.read("attachments.create", name=name, size=len(data), mime_type=mime_type)


def uploaded(chat, data, **file):
    attachment = announced(chat, data, **file)
    put = attachment["upload_descriptor"]
    answer = httpx2.request(put["method"], put["url"], content=data, headers=put["headers"])
    assert answer.status_code == 200, answer.text
    return attachment["id"]


def test_an_image_goes_to_the_model_as_bytes_and_to_the_page_as_a_link(ada, model):
    events = ada.create("What is this?", attachments=[uploaded(ada, PNG)])
    assert base64.b64encode(PNG).decode() in json.dumps(model.requests)
    (streamed,) = [
        event["item"]["attachments"]
        for event in events
        if event["type"] == "thread.item.done" and event["item"]["type"] == "user_message"
    ]
    for (shown,) in (streamed, ada.items(thread_of(events))[0]["attachments"]):
        assert "/files/" in shown["preview_url"]
        assert "upload_descriptor" not in shown
        assert httpx2.get(shown["preview_url"]).content == PNG


class TestEitherApi:
    @pytest.fixture
    def app_settings(self, app_settings, model_api):
        return app_settings.model_copy(update={"model_api": model_api})

    def test_the_model_gets_the_content_of_images_pdfs_and_code(self, ada, model):
        pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
        files = [
            uploaded(ada, PNG),
            uploaded(ada, pdf, name="ü.pdf", mime_type="application/pdf"),
            uploaded(ada, b"print('walnuts')", name="a.py", mime_type=""),
        ]
        ada.create("Read it", attachments=files)
        asked = json.dumps(model.requests)
        for data in (PNG, pdf):
            assert base64.b64encode(data).decode() in asked
        assert "print('walnuts')" in asked


def test_the_model_gets_the_text_of_a_text_file(ada, model):
    notes = "Remember the walnuts – ümläute too".encode()
    ada.create("Read it", attachments=[uploaded(ada, notes, name="ä.txt", mime_type="text/plain")])
    assert "Remember the walnuts" in json.dumps(model.requests)


def test_a_sent_file_can_be_saved_under_its_name_by_the_visitor_who_sent_it(ada, bob):
    file = uploaded(ada, b"remember", name="ü b.html", mime_type="text/html")
    ada.create("Read it", attachments=[file])
    link = ada.http.get(f"/chatkit/files/{file}").json()["url"]
    saved = httpx2.get(link)
    assert saved.content == b"remember"
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BC%20b.html"
    for who, name in ((bob, file), (ada, "never"), (ada, "x" * 3_000)):
        assert who.http.get(f"/chatkit/files/{name}").status_code == 404


def test_a_message_with_a_file_that_was_not_uploaded_is_rejected(ada):
    attachment = announced(ada, PNG)
    answer = ada.post("threads.create", input=message("Look", attachments=[attachment["id"]]))
    assert answer.status_code == 409
    assert answer.json()["message"]
    assert ada.read("threads.list")["data"] == []


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("photo.png", "image/png"),
        ("scan.pdf", "application/pdf"),
        ("photo.txt", "text/plain"),
    ],
)
def test_a_jpeg_with_a_wrong_name_is_shown_and_sent_as_a_jpeg(ada, model, name, mime_type):
    attachment = uploaded(ada, JPEG, name=name, mime_type=mime_type)
    events = ada.create("What is this?", attachments=[attachment])
    jpeg = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    assert jpeg in json.dumps(model.requests)
    (streamed,) = [
        event["item"]["attachments"]
        for event in events
        if event["type"] == "thread.item.done" and event["item"]["type"] == "user_message"
    ]
    for (shown,) in (streamed, ada.items(thread_of(events))[0]["attachments"]):
        assert (shown["type"], shown["mime_type"]) == ("image", "image/jpeg")
        preview = httpx2.get(shown["preview_url"])
        assert (preview.content, preview.headers["content-type"]) == (JPEG, "image/jpeg")


def test_a_file_that_only_claims_to_be_an_image_is_rejected(ada):
    script = b"<script>alert(1)</script>"
    answer = ada.post("threads.create", input=message("Look", attachments=[uploaded(ada, script)]))
    assert answer.status_code == 415


def test_a_file_can_be_sent_in_one_conversation_only(ada):
    attachment = uploaded(ada, PNG)
    headers = {"x-chatkit-run-id": "run-file"}
    first = ada.create("Look", headers, attachments=[attachment])
    again = ada.create("Look", headers, attachments=[attachment])
    assert thread_of(again) == thread_of(first)
    answer = ada.post("threads.create", input=message("Look", attachments=[attachment]))
    assert answer.status_code == 409


def test_a_rejected_message_stores_none_of_its_files(ada):
    good, bad = uploaded(ada, PNG), uploaded(ada, b"<script>")
    answer = ada.post("threads.create", input=message("Look", attachments=[good, bad]))
    assert answer.status_code == 415
    bucket = get_settings().attachments_bucket
    stored = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="files/")
    before = stored.get("KeyCount")
    ada.create("Look", attachments=[good])
    stored = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="files/")
    assert stored["KeyCount"] == before + 1


def test_a_file_of_another_user_is_not_found(ada, bob):
    attachment = uploaded(ada, PNG)
    answer = bob.post("threads.create", input=message("Look", attachments=[attachment]))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("file", "status"),
    [
        ({"name": "a.exe", "size": 10, "mime_type": "application/x-msdownload"}, 415),
        ({"name": "a.png", "size": 10**9, "mime_type": "image/png"}, 413),
        ({"name": "a.png", "size": 0, "mime_type": "image/png"}, 422),
        ({"name": "", "size": 10, "mime_type": "image/png"}, 422),
    ],
)
def test_files_that_are_not_allowed_are_rejected_before_the_upload(ada, file, status):
    answer = ada.post("attachments.create", **file)
    assert answer.status_code == status
    assert answer.json()["message"]


class TestDrawing:
    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"model_api": "responses"})

    def test_a_generated_image_is_stored_in_the_bucket_and_sent_as_a_link(self, ada, model):
        model.script = [Draw(PNG, partials=1), Say("There.")]
        events = ada.create("Draw a dot")
        assert "data:image" not in json.dumps(events)
        image = ada.items(thread_of(events))[1]["image"]
        assert httpx2.get(image["url"]).content == PNG

    def test_the_model_gets_its_generated_image_with_the_next_message(self, ada, model):
        model.script = [Draw(PNG), Say("A dot.")]
        thread = thread_of(ada.create("Draw a dot"))
        assert text_of(ada.say(thread, "What did you draw?")) == "A dot."
        assert base64.b64encode(PNG).decode() in json.dumps(model.requests[-1])
