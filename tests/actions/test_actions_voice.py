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
def speech_server():
    return OpenAIServer(transcript="take a note")


@pytest.fixture
async def speaker(cloud, speech_server):
    """A user of a deployment with a speech server."""
    with served(speech_server.app) as url:
        app = create_app(Settings(_env_file=None, transcription_base_url=f"{url}/v1"))
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
        ):
            yield Person(http)


async def transcribe(person, data, mime="audio/wav", name="note", **headers):
    return await person.http.post(
        "/actions/transcribe",
        files={"file": (name, data, mime)},
        headers={**person.headers, **headers},
    )


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_voice_note_becomes_text(speaker, speech_server, container):
    data = encoded(tone(), container)
    response = await transcribe(
        speaker, data, MIME[container], **{"accept-language": "de-CH,de;q=0.9"}
    )
    assert response.status_code == 200
    assert response.json() == {"text": "take a note"}
    assert speech_server.uploads[0]["data"] == data
    assert speech_server.uploads[0]["language"] == "de"


async def test_chatkits_own_dictation_operation_gives_the_same_text(speaker, speech_server):
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
    assert speech_server.uploads[0]["data"] == data


async def test_silence_becomes_an_empty_text(speaker, speech_server):
    speech_server.transcript = ""
    response = await transcribe(speaker, tone(loudness=0))
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
async def test_an_invalid_recording_is_rejected_before_the_provider_is_called(
    speaker, speech_server, data, mime, status
):
    response = await transcribe(speaker, data, mime)
    assert response.status_code == status
    assert response.json()["message"].endswith(".")
    assert speech_server.uploads == []


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
async def test_a_body_that_is_neither_a_form_nor_a_key_is_rejected(speaker, content, kind):
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


async def test_a_long_recording_is_uploaded_transcribed_and_removed(speaker, speech_server):
    data = tone(200)
    assert len(data) > 6_000_000
    announced = (await announce(speaker, data)).json()
    assert (await put(announced, data)).status_code == 200
    response = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert response.json() == {"text": "take a note"}
    assert speech_server.uploads[0]["data"] == data
    gone = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert gone.status_code == 404


async def test_the_upload_link_signs_type_length_and_condition_for_ten_minutes(speaker):
    announced = (await announce(speaker, tone())).json()
    query = dict(httpx2.URL(announced["url"]).params)
    assert query["X-Amz-SignedHeaders"] == "content-length;content-type;host;if-none-match"
    assert int(query["X-Amz-Expires"]) == announced["expires_in"] == 600
    assert announced["headers"] == {"Content-Type": "audio/wav", "If-None-Match": "*"}


async def test_the_upload_link_works_once(speaker, speech_server):
    announced = (await announce(speaker, tone())).json()
    assert (await put(announced, tone())).status_code == 200
    assert (await put(announced, tone()[::-1])).status_code == 412
    await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert speech_server.uploads[0]["data"] == tone()


async def test_only_its_own_user_can_transcribe_an_upload(speaker, speech_server):
    announced = (await announce(speaker, tone())).json()
    await put(announced, tone())
    stranger = Person(speaker.http)
    refused = await stranger.post("/actions/transcribe", {"key": announced["key"]})
    assert refused.status_code == 404
    assert speech_server.uploads == []
    assert (await speaker.post("/actions/transcribe", {"key": announced["key"]})).is_success


@pytest.mark.parametrize(
    "key", ["files/x", "../x", "uploads/voice/", "x" * 300, "uploads/voice/a/b"]
)
async def test_an_invalid_key_of_a_recording_is_not_found(speaker, key):
    assert (await speaker.post("/actions/transcribe", {"key": key})).status_code == 404


async def test_a_recording_that_was_not_uploaded_is_not_found(speaker):
    announced = (await announce(speaker, tone())).json()
    response = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert response.status_code == 404


async def test_an_uploaded_recording_of_another_type_than_announced_is_rejected(
    speaker, speech_server
):
    announced = (await announce(speaker, tone(), "audio/webm")).json()
    await put(announced, tone())
    response = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert response.status_code == 415
    assert speech_server.uploads == []


async def test_an_upload_is_kept_when_the_speech_server_fails(speaker, speech_server):
    announced = (await announce(speaker, tone())).json()
    await put(announced, tone())
    speech_server.script = [Fail(500)]
    failed = await speaker.post("/actions/transcribe", {"key": announced["key"]})
    assert failed.status_code == 502
    speech_server.script = []
    speech_server.script.append(None)
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
async def test_an_upload_that_cannot_be_transcribed_is_not_signed(speaker, body, status):
    response = await speaker.post("/actions/uploads", body)
    assert response.status_code == status
    assert response.json()["message"]


async def test_without_a_provider_the_error_names_the_setting(ada):
    dictation = {
        "type": "input.transcribe",
        "params": {"audio_base64": base64.b64encode(tone()).decode(), "mime_type": "audio/wav"},
    }
    for response in (
        await transcribe(ada, tone()),
        await ada.post("/actions", dictation),
        await announce(ada, tone()),
    ):
        assert response.status_code == 400
        assert "OPENAI_API_KEY" in response.json()["message"]


async def test_a_transcription_counts_against_the_same_limits_as_a_message(cloud, speech_server):
    with served(speech_server.app) as url:
        table = {"stage": {"messages_per_day": 2}, "kept_share": 0}
        limited = Settings(_env_file=None, transcription_base_url=f"{url}/v1", limits=table)
        transport = httpx2.ASGITransport(create_app(limited))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            person = Person(http)
            for data in (b"x" * 500, tone(), b"", tone(), tone()):
                response = await transcribe(person, data, None)
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 86_401
    assert "today" in response.json()["message"]
    assert len(speech_server.uploads) == 2


async def test_the_largest_recording_fits_into_a_form(speaker, speech_server):
    data = tone(4 * 1024 * 1024 / 32_000)[: 4 * 1024 * 1024]
    assert (await transcribe(speaker, data)).status_code == 200
