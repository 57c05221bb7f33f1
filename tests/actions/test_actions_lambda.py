"""The handler that Lambda calls, with events as a Function URL sends them."""

import base64
import json

import pytest

from functions.web.identity.anonymous import COOKIE
from infra.emulator.function_url import make_event
from infra.emulator.wire import Request
from tests.assistants.sample.features import items
from tests.support.handler import Environment
from tests.support.invocations import statuses_without_leaks
from tests.support.person import Person, request
from tests.support.speech import tone
from tests.support.tokens import session_token


class ActionsEnvironment(Environment):
    def __init__(self):
        super().__init__("functions.actions.handler")

    def call(self, *asked, **headers):
        answer = self.invoke(call(*asked, **headers))
        content = answer.get("body", "")
        answer["bytes"] = (
            base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
        )
        return answer


def call(method, path, body=b"", **headers):
    """A Function URL's event, in payload format 2.0."""
    if isinstance(body, dict):
        headers = {"content-type": "application/json", **headers}
        body = json.dumps(body).encode()
    http = Request(method, path, list(headers.items()), None)
    return make_event(http, body, "127.0.0.1", "https")


@pytest.fixture(scope="module")
def function(cloud):
    environment = ActionsEnvironment()
    yield environment
    environment.thread.shutdown()


@pytest.fixture
def grace():
    """A user whose requests reach the function as events."""
    return Person(None)


async def ticked(person):
    stored = await items.add_items(person.documents, ["milk"])
    item = await person.shown(await person.thread(), items.card(stored))
    return item, request(item, "item.toggle", {"id": stored[0].id, "done": True})


async def test_an_action_through_the_function_url_is_stored(function, grace):
    item, body = await ticked(grace)
    answer = function.call("POST", "/actions", body, **grace.headers)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert not answer["isBase64Encoded"]
    assert json.loads(answer["body"])["updated_item"]["id"] == item.id
    assert [each.done for each in await grace.documents.read(items.ITEMS)] == [True]


async def test_the_cookie_identifies_the_user(function, grace):
    _, body = await ticked(grace)
    token = session_token(COOKIE, user=grace.user.id)
    cookie = f"other=1; __Host-chatkit_session={token}"
    assert function.call("POST", "/actions", body, cookie=cookie)["statusCode"] == 200
    assert function.call("POST", "/actions", body)["statusCode"] == 404


async def test_an_event_stream_is_returned_as_text(function, grace):
    _, body = await ticked(grace)
    answer = function.call(
        "POST", "/actions", body | {"type": "threads.custom_action"}, **grace.headers
    )
    assert answer["headers"]["content-type"].startswith("text/event-stream")
    assert not answer["isBase64Encoded"]
    assert answer["body"].startswith("data: ")


async def test_a_binary_body_reaches_the_function_in_base64(function, grace):
    boundary = "b0undary"
    body = (
        (
            f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="n"\r\n'
            "content-type: audio/webm\r\n\r\n"
        ).encode()
        + tone()
        + f"\r\n--{boundary}--\r\n".encode()
    )
    answer = function.call(
        "POST",
        "/actions/transcribe",
        body,
        **{"content-type": f"multipart/form-data; boundary={boundary}"},
        **grace.headers,
    )
    # There is no provider, so the function rejects the recording after it has read the form.
    assert answer["statusCode"] == 400
    assert "OPENAI_API_KEY" in json.loads(answer["body"])["message"]


async def test_a_redirect_is_relative_to_the_pages_origin(function, grace):
    body = {
        "type": "threads.custom_action",
        "params": {"thread_id": "t", "action": {"type": "vote.cast", "payload": {}}},
    }
    answer = function.call("POST", "/actions", body, **grace.headers)
    assert answer["statusCode"] == 307
    assert answer["headers"]["location"] == "/chatkit"


def test_health_and_unknown_paths_answer_in_json(function):
    assert function.call("GET", "/actions/health")["statusCode"] == 200
    missing = function.call("GET", "/actions/nothing")
    assert missing["statusCode"] == 404
    assert json.loads(missing["body"])["message"]


async def test_two_hundred_invocations_leak_no_task_thread_file_or_object(cloud, grace):
    _, body = await ticked(grace)
    events = [
        call("POST", "/actions", body, **grace.headers),
        call("POST", "/actions", b"{", **grace.headers),
    ]
    assert await statuses_without_leaks("functions.actions.handler", events) == [200, 400]


@pytest.mark.parametrize("source", ["aws:dynamodb", "aws:s3"])
def test_an_event_of_aws_is_refused_and_not_taken_for_handled(function, source):
    with pytest.raises(RuntimeError):
        function.invoke({"Records": [{"eventSource": source}]})
