"""Dictation, voice notes and long recordings, over HTTP to a real speech server."""

import base64

import httpx2
import pytest

from functions.actions.app import create_app
from functions.settings import Settings
from tests.support.openai_server import Fail, OpenAIServer
from tests.support.person import Person
from tests.support.served import served
from tests.support.speech import MIME, encoded, tone

CONTAINERS = ["webm", "ogg", "mp4", "wav", "mp3"]


@pytest.fixture
def ears():
    return OpenAIServer(transcript="take a note")


@pytest.fixture
async def speaker(cloud, ears):
    """Somebody at a deployment that hears."""
    with served(ears.app) as url:
        app = create_app(Settings(_env_file=None, transcription_base_url=f"{url}/v1"))
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
        ):
            yield Person(http)


async def say(person, data, mime="audio/wav", name="note", **headers):
    return await person.http.post(
        "/actions/transcribe",
        files={"file": (name, data, mime)},
        headers={**person.headers, **headers},
    )


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_voice_note_becomes_text(speaker, ears, container):
    data = encoded(tone(), container)
    response = await say(speaker, data, MIME[container], **{"accept-language": "de-CH,de;q=0.9"})
    assert response.status_code == 200
    assert response.json() == {"text": "take a note"}
    assert ears.uploads[0]["data"] == data
    assert ears.uploads[0]["language"] == "de"


async def test_dictation_is_the_same_in_chatkits_own_words(speaker, ears):
    data = encoded(tone(), "webm")
    response = await speaker.post(
        "/actions",
        {
            "type": "input.transcribe",
            "params": {
                "audio_base64": base64.b64encode(data).decode(),
                "mime_type": "audio/webm;codecs=opus",
            },
        },
    )
    assert response.json() == {"text": "take a note"}
    assert ears.uploads[0]["data"] == data


async def test_silence_is_an_empty_text_and_no_error(speaker, ears):
    ears.transcript = ""
    response = await say(speaker, tone(loudness=0))
    assert (response.status_code, response.json()) == (200, {"text": ""})


@pytest.mark.parametrize(
    ("data", "mime", "status"),
    [
        (b"", "audio/wav", 422),
        (tone(0.01), "audio/wav", 422),
        (b"<html>" * 200, "audio/webm", 422),
        (tone(), "audio/webm", 415),
        (tone(), "image/png", 415),
        (b"OggS" + bytes(5_000_000), "audio/ogg", 413),
    ],
)
async def test_what_is_no_recording_is_refused_before_anybody_is_asked(
    speaker, ears, data, mime, status
):
    response = await say(speaker, data, mime)
    assert response.status_code == status
    assert response.json()["message"].endswith(".")
    assert ears.uploads == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary="),
        (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (b"\xff" * 300, "multipart/form-data; boundary=b"),
        (
            b'--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
        ),
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'{"key": 5}', "application/json"),
        (b'{"key": ""}', "application/json"),
        (b"\xff\xfe", "application/json"),
    ],
)
async def test_a_body_that_is_neither_form_nor_key_is_refused(speaker, content, kind):
    response = await speaker.post("/actions/transcribe", content, **{"content-type": kind})
    assert 400 <= response.status_code < 500
    assert response.json()["message"]


async def announce(person, data, mime="audio/wav"):
    return await person.post("/actions/uploads", {"mime_type": mime, "size": len(data)})


async def put(upload, data, **headers):
    async with httpx2.AsyncClient(trust_env=False) as s3:
        return await s3.request(
            upload["method"], upload["url"], content=data, headers=upload["headers"] | headers
        )


async def test_a_long_recording_is_uploaded_heard_and_removed(speaker, ears):
    data = tone(200)
    assert len(data) > 6_000_000
    announced = (await announce(speaker, data)).json()
    assert (await put(announced, data)).status_code == 200
    response = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert response.json() == {"text": "take a note"}
    assert ears.uploads[0]["data"] == data
    gone = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert gone.status_code == 404


async def test_the_upload_link_signs_type_and_length(speaker):
    announced = (await announce(speaker, tone())).json()
    query = dict(httpx2.URL(announced["url"]).params)
    assert query["X-Amz-SignedHeaders"] == "content-length;content-type;host"
    assert int(query["X-Amz-Expires"]) == announced["expires_in"]


async def test_nobody_else_hears_an_upload(speaker, ears):
    announced = (await announce(speaker, tone())).json()
    await put(announced, tone())
    stranger = Person(speaker.http)
    refused = await stranger.post("/actions/transcribe", {"key": announced["key"]})
    assert refused.status_code == 404
    assert ears.uploads == []
    assert (await speaker.post("/actions/transcribe", {"key": announced["key"]})).is_success


@pytest.mark.parametrize(
    "key", ["files/x", "../x", "uploads/voice/", "x" * 300, "uploads/voice/a/b"]
)
async def test_a_key_that_was_never_given_out_is_not_there(speaker, key):
    assert (await speaker.post("/actions/transcribe", {"key": key})).status_code == 404


async def test_a_recording_that_was_announced_and_never_sent_is_not_there(speaker):
    announced = (await announce(speaker, tone())).json()
    response = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert response.status_code == 404


async def test_an_upload_that_is_not_what_it_said_is_refused(speaker, ears):
    announced = (await announce(speaker, tone(), "audio/webm")).json()
    await put(announced, tone())
    response = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert response.status_code == 415
    assert ears.uploads == []


async def test_an_upload_stays_when_the_speech_server_fails(speaker, ears):
    announced = (await announce(speaker, tone())).json()
    await put(announced, tone())
    ears.script = [Fail(500)]
    failed = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert failed.status_code == 502
    ears.script = []
    ears.script.append(None)
    assert (await speaker.post("/actions/transcribe", {"key": announced["key"]})).is_success


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"mime_type": "audio/wav", "size": 26 * 1024 * 1024}, 413),
        ({"mime_type": "audio/wav", "size": 0}, 422),
        ({"mime_type": "audio/wav", "size": -5}, 422),
        ({"mime_type": "audio/wav", "size": "many"}, 422),
        ({"mime_type": "text/html", "size": 5000}, 415),
        ({"mime_type": "application/octet-stream", "size": 5000}, 415),
        ({"size": 5000}, 422),
        ([], 422),
    ],
)
async def test_an_upload_that_will_not_be_heard_is_not_signed(speaker, body, status):
    response = await speaker.post("/actions/uploads", body)
    assert response.status_code == status
    assert response.json()["message"]


async def test_where_nobody_hears_the_answer_names_the_setting(ada):
    dictation = {
        "type": "input.transcribe",
        "params": {"audio_base64": base64.b64encode(tone()).decode(), "mime_type": "audio/wav"},
    }
    for response in (
        await say(ada, tone()),
        await ada.post("/actions", dictation),
        await announce(ada, tone()),
    ):
        assert response.status_code == 400
        assert "OPENAI_API_KEY" in response.json()["message"]


async def test_a_transcription_counts_against_the_same_limits_as_a_message(cloud, ears):
    with served(ears.app) as url:
        limited = Settings(_env_file=None, transcription_base_url=f"{url}/v1", messages_per_day=2)
        transport = httpx2.ASGITransport(create_app(limited))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            person = Person(http)
            for data in (b"x" * 500, tone(), b"", tone(), tone()):
                response = await say(person, data, None)
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 86_401
    assert "today" in response.json()["message"]
    assert len(ears.uploads) == 2


async def test_a_form_around_the_largest_recording_is_not_too_much(speaker, ears):
    data = tone(4 * 1024 * 1024 / 32_000)[: 4 * 1024 * 1024]
    assert (await say(speaker, data)).status_code == 200
