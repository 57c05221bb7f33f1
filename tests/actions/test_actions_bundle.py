"""The bundle that is deployed, under AWS's runtime client on the emulator."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.project import actions_configuration, bundle
from infra.emulator.server import Server
from tests.assistants.sample.features import items
from tests.support.issuer import CLIENT, Key, bearer, issuing
from tests.support.person import Person
from tests.support.sample import with_sample
from tests.support.served import served
from tests.support.speech import encoded, tone


@pytest.fixture
async def deployed(cloud):
    """The function, and a user who calls it through its URL."""
    built = bundle("actions")
    configuration = actions_configuration(built.task_root, cloud, python=built.python)
    async with (
        Function(with_sample(configuration)) as function,
        Server(FunctionUrl(function, streaming=False).handle) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
    ):
        yield function, Person(http)


async def test_the_bundle_runs_an_action_and_stores_its_result(deployed):
    function, person = deployed
    stored = await items.add_items(person.documents, ["milk"])
    item = await person.shown(await person.thread(), items.card(stored))
    answer = await person.press(item, "item.toggle", {"id": stored[0].id, "done": True})
    assert answer.status_code == 200, function.environments[0].output.decode()
    assert [each.done for each in await person.documents.read(items.ITEMS)] == [True]
    assert (await person.http.get("/actions/health")).json()["status"] == "ok"


async def test_the_bundle_verifies_the_tokens_of_people_who_sign_in(cloud):
    """With the compiled parts that verification needs, and an issuer that it has to ask."""
    built = bundle("actions")
    with issuing() as issuer:
        oidc = {
            "CHATKIT_AUTH": "oidc",
            "CHATKIT_OIDC_ISSUER": issuer.url,
            "CHATKIT_OIDC_CLIENT_ID": CLIENT,
        }
        configuration = actions_configuration(
            built.task_root, {**cloud, **oidc}, python=built.python
        )
        async with (
            Function(with_sample(configuration)) as function,
            Server(FunctionUrl(function, streaming=False).handle) as server,
            httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
        ):
            statuses = []
            for key in (None, Key("first")):
                headers = bearer(issuer.token(key))
                answer = await http.post("/actions/cancel", json={"run_id": "r"}, headers=headers)
                statuses.append(answer.status_code)
            assert statuses == [200, 401], function.environments[0].output.decode()
            assert issuer.fetches == len(function.environments)


async def test_the_bundle_for_gemini_converts_recordings_to_a_format_that_gemini_accepts(cloud):
    said = {"candidates": [{"content": {"parts": [{"text": '{"text": "hello"}'}]}}]}
    requests = []

    async def answer(request):
        requests.append(await request.json())
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
            response = await http.post("/actions/transcribe", files=note)
            assert response.json() == {"text": "hello"}, function.environments[0].output.decode()
    audio = requests[0]["contents"][0]["parts"][1]["inlineData"]
    assert audio["mimeType"] == "audio/mp3"
