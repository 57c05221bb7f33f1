"""What will be deployed: the built bundle under AWS's runtime client, on the emulator."""

import json

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.invocation import End
from infra.emulator.project import actions_configuration, bundle
from infra.emulator.server import Server
from tests.assistants import with_sample
from tests.assistants.sample.features import items
from tests.support.person import Person
from tests.support.served import served
from tests.support.speech import encoded, tone


@pytest.fixture
async def deployed(cloud):
    """The function, and somebody who reaches it through its URL."""
    built = bundle("actions")
    configuration = actions_configuration(built.task_root, cloud, python=built.python)
    async with (
        Function(with_sample(configuration)) as function,
        Server(FunctionUrl(function, streaming=False).handle) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
    ):
        yield function, Person(http)


async def test_the_bundle_presses_and_keeps(deployed):
    function, person = deployed
    kept = await items.add_items(person.documents, ["milk"])
    item = await person.shown(await person.thread(), items.card(kept))
    answer = await person.press(item, "item.toggle", {"id": kept[0].id, "done": True})
    assert answer.status_code == 200, function.environments[0].output.decode()
    assert [each.done for each in await person.documents.read(items.ITEMS)] == [True]
    assert (await person.http.get("/actions/health")).json()["status"] == "ok"


async def test_the_bundle_takes_events(deployed):
    function, _ = deployed
    event = {
        "Records": [
            {
                "eventSource": "aws:dynamodb",
                "eventName": "REMOVE",
                "dynamodb": {
                    "Keys": {"pk": {"S": "U#nobody"}, "sk": {"S": "THREAD#gone"}},
                    "SequenceNumber": "1",
                },
            }
        ]
    }
    invocation = await function.invoke(json.dumps(event).encode())
    body = b""
    while not isinstance(part := await invocation.answer.get(), End):
        body += part if isinstance(part, bytes) else b""
    assert part.error is None, part.error
    assert json.loads(body) == {"batchItemFailures": []}


async def test_the_bundle_for_gemini_turns_what_browsers_record_into_what_gemini_hears(cloud):
    said = {"candidates": [{"content": {"parts": [{"text": '{"text": "hello"}'}]}}]}
    asked = []

    async def answer(request):
        asked.append(await request.json())
        return JSONResponse(said)

    provider = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    built = bundle("actions", gemini_transcribes=True)
    with served(provider) as url:
        gemini = {"GEMINI_API_KEY": "g", "CHATKIT_TRANSCRIPTION_BASE_URL": url}
        variables = {**cloud, **gemini, "CHATKIT_TRANSCRIPTION": "gemini"}
        async with (
            Function(
                actions_configuration(built.task_root, variables, python=built.python)
            ) as function,
            Server(FunctionUrl(function, streaming=False).handle) as server,
            httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
        ):
            note = {"file": ("note.webm", encoded(tone(), "webm"), "audio/webm")}
            heard = await http.post("/actions/transcribe", files=note)
            assert heard.json() == {"text": "hello"}, function.environments[0].output.decode()
    audio = asked[0]["contents"][0]["parts"][1]["inlineData"]
    assert audio["mimeType"] == "audio/mp3"
