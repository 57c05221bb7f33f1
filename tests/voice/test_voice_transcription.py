"""Transcription over HTTP, against a test server that plays the provider."""

import asyncio
import base64
import json
import sys

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions.llm.providers import key_of
from functions.settings import Settings
from functions.voice import transcription
from functions.voice.transcription import Transcriber, TranscriptionError
from tests.support.openai_server import OpenAIServer
from tests.support.served import served
from tests.support.speech import encoded, tone


class Provider:
    """Answers any request with the next of `answers`; the last one is repeated."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["POST"])])

    async def answer(self, request):
        self.asked.append((request, await request.body()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return JSONResponse({"error": {"message": "the key sk-secret is wrong"}}, answer)
        if isinstance(answer, bytes):
            return Response(answer)
        return JSONResponse(answer)


def settings(**fields):
    return Settings(_env_file=None, **fields)


async def transcribe(settings, data=None, claim=None, locale=None):
    transcriber = Transcriber(settings)
    try:
        return await transcriber.transcribe(data or tone(), claim, locale)
    finally:
        await transcriber.aclose()


async def test_an_openai_compatible_server_gets_the_file_the_model_and_the_language():
    server = OpenAIServer(transcript=" Guten Tag. \n")
    with served(server.app) as url:
        text = await transcribe(
            settings(openai_base_url=f"{url}/v1", openai_api_key="sk-1", transcription="openai"),
            encoded(tone(), "webm"),
            "audio/webm;codecs=opus",
            "de-AT",
        )
    assert text == "Guten Tag."
    (upload,) = server.uploads
    assert upload["name"] == "recording.webm"
    assert upload["type"] == "audio/webm"
    assert upload["model"] == "gpt-4o-mini-transcribe"
    assert upload["language"] == "de"
    assert server.headers[0]["authorization"] == "Bearer sk-1"


async def test_another_server_gets_its_own_key_and_never_openais():
    server = OpenAIServer()
    with served(server.app) as url:
        own = settings(openai_api_key="sk-1", transcription_base_url=f"{url}/v1/")
        assert await transcribe(own) == "hello there"
        assert "authorization" not in server.headers[0]
        keyed = own.model_copy(update={"transcription_api_key": own.openai_api_key})
        await transcribe(keyed)
        assert server.headers[1]["authorization"] == "Bearer sk-1"


def test_the_key_of_openai_goes_to_openai_where_a_compatible_server_is_used_beside_it():
    both = settings(openai_api_key="sk-1", openai_base_url="http://localhost/v1", provider="openai")
    assert transcription.provider(both)._url.startswith("https://api.openai.com/")


async def test_a_compatible_server_gets_the_key_that_its_models_get():
    both = settings(
        openai_base_url="http://localhost/v1", openai_api_key="sk-1", compatible_api_key="own"
    )
    assert await transcription.provider(both)._key() == await key_of("compatible", both)() == "own"


async def test_silence_is_an_empty_text():
    with served(OpenAIServer(transcript="").app) as url:
        assert (
            await transcribe(settings(transcription_base_url=url + "/v1"), tone(loudness=0)) == ""
        )


@pytest.mark.parametrize("first", [429, 500, 503])
async def test_a_request_to_a_busy_provider_is_retried_once(first):
    provider = Provider(first, {"text": "at last"})
    with served(provider.app) as url:
        assert await transcribe(settings(transcription_base_url=url)) == "at last"
    assert len(provider.asked) == 2
    assert provider.asked[0][1] == provider.asked[1][1]


@pytest.mark.parametrize(
    ("answer", "status", "asked"),
    [
        (400, 422, 1),
        (401, 502, 1),
        (404, 502, 1),
        (413, 413, 1),
        (429, 503, 2),
        (500, 502, 2),
        (b"<html>", 502, 1),
        ({"words": []}, 502, 1),
        ([], 502, 1),
    ],
)
async def test_a_providers_error_becomes_a_message_without_the_providers_words(
    answer, status, asked
):
    provider = Provider(answer)
    with served(provider.app) as url, pytest.raises(TranscriptionError) as refused:
        await transcribe(settings(transcription_base_url=url))
    assert refused.value.status == status
    assert "sk-secret" not in refused.value.message
    assert len(provider.asked) == asked


async def test_a_provider_that_cannot_be_reached_is_an_error():
    with served(Provider({}).app) as url:
        pass
    with pytest.raises(TranscriptionError) as refused:
        await transcribe(settings(transcription_base_url=url))
    assert refused.value.status == 502


async def test_a_provider_that_never_answers_times_out(monkeypatch):
    never = asyncio.Event()

    async def wait(_request):
        await never.wait()

    monkeypatch.setattr(transcription, "TRANSCRIBE_TIMEOUT", 0.2)
    app = Starlette(routes=[Route("/{path:path}", wait, methods=["POST"])])
    with served(app) as url, pytest.raises(TranscriptionError) as refused:
        await transcribe(settings(transcription_base_url=url))
    assert refused.value.status == 504


@pytest.mark.parametrize("container", ["webm", "mp4", "ogg"])
async def test_recordings_of_browsers_are_converted_to_mp3_for_gemini(container):
    said = json.dumps({"text": "Bonjour."})
    provider = Provider({"candidates": [{"content": {"parts": [{"text": said}]}}]})
    with served(provider.app) as url:
        gemini = settings(
            gemini_api_key="g-1", transcription="gemini", transcription_base_url=url + "/v1beta"
        )
        assert await transcribe(gemini, encoded(tone(), container), locale="fr") == "Bonjour."
    request, body = provider.asked[0]
    assert request.url.path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert request.headers["x-goog-api-key"] == "g-1"
    prompt, audio = json.loads(body)["contents"][0]["parts"]
    assert "'fr'" in prompt["text"]
    assert audio["inlineData"]["mimeType"] == "audio/mp3"
    assert base64.b64decode(audio["inlineData"]["data"]).startswith((b"ID3", b"\xff"))


async def test_gemini_gets_wav_unchanged():
    provider = Provider({"candidates": [{"content": {"parts": [{"text": '{"text": ""}'}]}}]})
    with served(provider.app) as url:
        gemini = settings(gemini_api_key="g-1", transcription="gemini", transcription_base_url=url)
        assert await transcribe(gemini) == ""
    audio = json.loads(provider.asked[0][1])["contents"][0]["parts"][1]
    assert base64.b64decode(audio["inlineData"]["data"]) == tone()


async def test_a_recording_that_cannot_be_decoded_is_the_senders_error():
    gemini = settings(gemini_api_key="g-1")
    with pytest.raises(TranscriptionError) as refused:
        await transcribe(gemini, b"OggS" + bytes(2_000))
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("fields", "provider"),
    [
        ({}, None),
        ({"openai_api_key": "k"}, "openai"),
        ({"openai_api_key": "k", "openai_base_url": "http://127.0.0.1/v1"}, "openai"),
        ({"openai_base_url": "http://127.0.0.1/v1"}, None),
        ({"openai_base_url": "http://127.0.0.1/v1", "transcription": "openai"}, "openai"),
        ({"gemini_api_key": "k"}, "gemini"),
        ({"gemini_api_key": "k", "openai_api_key": "k"}, "openai"),
        ({"transcription_base_url": "http://127.0.0.1/v1"}, "openai"),
        ({"openai_api_key": "k", "transcription": "off"}, None),
        ({"openai_api_key_secret": "name"}, "openai"),
    ],
)
def test_the_settings_choose_the_provider(fields, provider):
    chosen = settings(**fields)
    assert chosen.voice_provider == provider
    assert Transcriber(chosen).available == (provider is not None)


async def test_without_a_provider_the_error_names_the_settings_for_voice():
    with pytest.raises(TranscriptionError, match="OPENAI_API_KEY") as refused:
        await transcribe(settings())
    assert refused.value.status == 400


async def test_without_pyav_the_error_for_gemini_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "functions.voice.conversion", raising=False)

    with pytest.raises(TranscriptionError, match="PyAV") as refused:
        await transcribe(settings(gemini_api_key="g-1"), b"OggS" + bytes(2_000))
    assert refused.value.status == 415


async def test_a_refusal_is_one_line_in_the_log_without_words(caplog):
    provider = Provider(401)
    with served(provider.app) as url:
        given = settings(openai_base_url=url, openai_api_key="sk-1", transcription="openai")
        with pytest.raises(TranscriptionError):
            await transcribe(given)
    (record,) = caplog.records
    assert record.getMessage() == (
        "the speech service refused a request: provider=openai model=gpt-4o-mini-transcribe "
        "status=401 code=- request_id=-"
    )
