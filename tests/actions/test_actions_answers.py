"""An action that makes the assistant answer, from the button to the answer, over both apps."""

import base64
import json

import httpx2
import pytest
from chatkit.types import HiddenContextItem

from tests.assistants.sample.features import breakdown, vote
from tests.assistants.sample.features import items as item_list
from tests.support.openai_server import OpenAIServer, Say
from tests.support.person import Person, request
from tests.support.served import served
from tests.support.speech import tone


@pytest.fixture
def model():
    return OpenAIServer(Say("Rome it is."))


@pytest.fixture
async def origin(cloud, model, monkeypatch):
    """Page, chat and actions on one origin, with a model that records its requests."""
    from functions.settings import forget_settings
    from infra.local.app import create_app

    with served(model.app) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("CHATKIT_MODEL", "test")
        forget_settings()
        with served(create_app()) as address:
            async with httpx2.AsyncClient(
                base_url=address, timeout=30, trust_env=False, follow_redirects=True
            ) as http:
                yield http
    forget_settings()


async def offered(person):
    asked = vote.Vote(question="Where to?")
    await person.documents.change(vote.VOTE, lambda _: asked)
    return await person.shown(await person.thread(), vote.card(asked))


async def chosen(person):
    return (await person.documents.read(vote.VOTE)).chosen


def events(response):
    return [
        json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")
    ]


async def pick(person, item, option, run):
    run_id = {"x-chatkit-run-id": run}
    return await person.press(item, "vote.cast", {"option": option}, sync=False, **run_id)


async def items(person, item):
    page = await person.store.load_thread_items(item.thread_id, None, 20, "asc", person.context)
    return page.data


async def test_a_choice_is_redirected_stored_and_answered_by_the_model(origin, model):
    ada = Person(origin)
    item = await offered(ada)
    response = await pick(ada, item, "Rome", "run-1")
    assert [r.status_code for r in (*response.history, response)] == [307, 200]
    assert response.headers["content-type"].startswith("text/event-stream")
    seen = events(response)
    drawn = next(e for e in seen if e.get("update", {}).get("type") == "widget.root.updated")
    assert drawn["item_id"] == item.id
    assert "hidden_context" not in response.text
    assert '"Rome it is."' in response.text

    assert await chosen(ada) == "Rome"
    stored = (await ada.stored(item)).widget
    assert "vote.cast" not in stored.model_dump_json()
    kinds = [stored.type for stored in await items(ada, item)]
    assert kinds[:2] == ["widget", "hidden_context_item"]
    assert kinds[-1] in {"assistant_message", "end_of_turn"}
    assert "The person chose 'Rome'" in json.dumps(model.requests[0])


async def test_a_second_choice_is_rejected_and_changes_nothing(origin):
    ada = Person(origin)
    item = await offered(ada)
    await pick(ada, item, "Rome", "run-2")
    before = await items(ada, item)
    response = await pick(ada, item, "Oslo", "run-3")
    (error,) = [event for event in events(response) if event["type"] == "error"]
    assert error["message"] == "Another option was already chosen."
    assert not error.get("allow_retry")
    assert await items(ada, item) == before
    assert await chosen(ada) == "Rome"


async def test_an_invalid_choice_is_rejected_before_the_stream_starts(origin, model):
    ada, bob = Person(origin), Person(origin)
    item = await offered(ada)
    refusals = [
        await pick(bob, item, "Rome", "run-4"),
        await ada.press(item, "vote.cast", {"option": 5}, sync=False),
        await ada.post("/actions", request(item, "vote.cast", {}, sync=False, item_id="msg_x")),
    ]
    assert [refused.status_code for refused in refusals] == [404, 422, 422]
    assert all(refused.json()["message"] for refused in refusals)
    assert model.requests == []
    assert not any(isinstance(stored, HiddenContextItem) for stored in await items(ada, item))


async def test_the_streaming_function_also_serves_actions(origin):
    ada = Person(origin)
    stored = await item_list.add_items(ada.documents, ["milk"])
    item = await ada.shown(await ada.thread(), item_list.card(stored))
    for sync in (True, False):
        body = request(item, "item.toggle", {"id": stored[0].id, "done": sync}, sync=sync)
        response = await ada.post("/chatkit", body)
        assert response.status_code == 200
        assert [each.done for each in await ada.documents.read(item_list.ITEMS)] == [sync]
        ticked = '"defaultChecked":true' in (await ada.stored(item)).widget.model_dump_json()
        assert ticked == sync
    refused = await ada.post(
        "/chatkit", request(item, "item.toggle", {"id": "0" * 12, "done": True})
    )
    assert refused.status_code == 404


async def test_the_streaming_function_also_serves_dictation(origin, cloud):
    ada = Person(origin)
    recorded = {"audio_base64": base64.b64encode(tone()).decode(), "mime_type": "audio/wav"}
    dictation = {"type": "input.transcribe", "params": recorded}
    off = [await ada.post(path, dictation) for path in ("/chatkit", "/actions")]
    assert [answer.status_code for answer in off] == [400, 400]
    assert off[0].json() == off[1].json()

    from functions.chat.app import create_app
    from functions.settings import Settings

    with served(OpenAIServer(transcript="hello").app) as url:
        settings = Settings(_env_file=None, transcription_base_url=f"{url}/v1", messages_per_day=1)
        transport = httpx2.ASGITransport(create_app(settings))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            bob = Person(http)
            assert (await bob.post("/chatkit", dictation)).json() == {"text": "hello"}
            assert (await bob.post("/chatkit", dictation)).status_code == 429


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/actions", "events"),
        ("/actions", "sync"),
        ("/chatkit", "events"),
        ("/chatkit", "sync"),
        ("/chatkit", "answer"),
    ],
)
async def test_an_action_that_raises_is_logged_with_its_place_and_shown_without_words(
    origin, caplog, path, kind
):
    ada = Person(origin)
    item = await ada.shown(await ada.thread(), item_list.card([]))
    response = await ada.post(path, request(item, f"break.{kind}", {}, sync=kind == "sync"))
    assert "KeyError" in caplog.text
    assert f"in break_{kind}" in caplog.text
    assert breakdown.REASON not in response.text
    if (path, kind) == ("/actions", "events"):
        assert "the action break.events failed" in caplog.text
