"""People sign in at an issuer: what they see, and what others do not, over real HTTP."""

import json
import logging
import time

import pytest

from functions import aws
from functions.actions.app import router as actions_router
from functions.aws.clients import client
from functions.chat.app import create_app
from functions.chat.app import router as chat_router
from functions.settings import Settings, get_settings
from functions.web.identity.anonymous import BEARER, COOKIE, new_user
from functions.web.identity.person import owner_id
from tests.chat.conftest import KEY
from tests.support.chat import ELSEWHERE, JSON, Chat, thread_of
from tests.support.issuer import AUDIENCE, CLIENT, bearer, issuing
from tests.support.served import served

OPEN = {"/chatkit/health", "/actions/health", "/chatkit/log"}
"""Routes that ask nobody who they are: they read and write nothing of anybody."""


@pytest.fixture(scope="module")
def issuer():
    with issuing() as made:
        yield made


@pytest.fixture
def settings_for(cloud, issuer, model_url):
    def make(**changes):
        return Settings(
            _env_file=None,
            **{
                "openai_base_url": model_url,
                "model": "test",
                "model_api": "chat_completions",
                "models": "everybodys,secret (admin)",
                "auth": "oidc",
                "oidc_issuer": issuer.url,
                "oidc_client_id": CLIENT,
                "oidc_audience": AUDIENCE,
                "oidc_roles_claim": "roles",
                **changes,
            },
        )

    return make


@pytest.fixture
def app_settings(settings_for):
    return settings_for()


@pytest.fixture
def person(issuer, server):
    """Makes a browser of somebody who has signed in."""

    def sign_in(**claims):
        chat = Chat(server)
        chat.http.headers.update(bearer(issuer.token(**claims)))
        return chat

    return sign_in


def session(chat, headers=None):
    return chat.http.post("/chatkit/session", headers=headers)


def routes(router):
    return [
        (method, route.path.replace("{attachment_id}", "atc_1"))
        for route in router.routes
        for method in route.methods
    ]


REFUSED = {
    "no token": ({}, "Please sign in."),
    "no token in the header": ({"x-chatkit-authorization": "Bearer"}, "not valid here"),
    "another scheme": ({"x-chatkit-authorization": "Basic YTpi"}, "not valid here"),
    "a malformed token": (bearer("a.b.c"), "not valid here"),
    "CloudFront's own signature": (
        {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/1, Signature=00"},
        "Please sign in.",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_without_a_token_every_route_answers_401_before_anything_is_read_or_written(
    server, actions, why, monkeypatch
):
    """Also the routes that are yet to be written: they are found and not listed here."""
    calls = []
    monkeypatch.setattr(aws, "call", lambda *_, **__: calls.append(1))
    for service in ("dynamodb", "s3"):
        client(service).meta.events.register(
            "before-call", lambda **_: calls.append(1), unique_id="counting"
        )
    headers, message = REFUSED[why]
    asked = 0
    for url, router in ((server, chat_router), (actions, actions_router)):
        for method, path in routes(router):
            if path in OPEN:
                continue
            # The body is no JSON: whoever reads it first answers 400.
            sent = {**JSON, **headers}
            answer = Chat(url).http.request(method, path, headers=sent, content=b"{")
            assert answer.status_code == 401, (method, path)
            assert message in answer.json()["message"]
            assert answer.headers["www-authenticate"].startswith('Bearer realm="chatkit"')
            assert "set-cookie" not in answer.headers
            asked += 1
    for service in ("dynamodb", "s3"):
        client(service).meta.events.unregister("before-call", unique_id="counting")
    assert asked >= 9
    assert calls == []


def test_health_needs_no_token_and_an_anonymous_cookie_counts_for_nothing(server):
    chat = Chat(server)
    assert chat.http.get("/chatkit/health").status_code == 200
    chat.http.cookies.set("chatkit_session", new_user([KEY], COOKIE).token)
    assert session(chat).status_code == 401
    assert session(chat, bearer(new_user([KEY], BEARER).token)).status_code == 401


@pytest.mark.parametrize("header", ["x-chatkit-authorization", "authorization"])
def test_the_session_says_who_has_signed_in(server, issuer, header):
    token = issuer.token(
        name="Ada Lovelace", email="ada@example.com", email_verified=True, roles=["staff", "b"]
    )
    answer = session(Chat(server), bearer(token, header))
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["user"] == {
        "id": owner_id(issuer.url, "ada", None),
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "roles": ["b", "staff"],
        "tenant": None,
    }
    assert (found["signedIn"], found["token"]) == (True, None)


def test_the_header_of_ours_may_stand_beside_a_signature_or_the_same_token(server, issuer):
    token = issuer.token()
    for beside in (f"Bearer {token}", "AWS4-HMAC-SHA256 Credential=AKIA/1", "Basic YTpi"):
        assert session(Chat(server), {**bearer(token), "authorization": beside}).is_success


def test_two_different_tokens_are_refused(server, issuer):
    headers = {**bearer(issuer.token()), **bearer(issuer.token(sub="bob"), "authorization")}
    answer = session(Chat(server), headers)
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "The request carries two different tokens.",
    )
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_a_page_on_another_origin_may_read_the_refusal(server):
    answer = session(Chat(server), {"origin": ELSEWHERE})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE


def test_a_conversation_belongs_to_the_issuers_person_and_to_nobody_else(person):
    ada, bob = person(), person(sub="bob")
    thread = thread_of(ada.create())
    assert [each["id"] for each in ada.read("threads.list", limit=9)["data"]] == [thread]
    assert person().items(thread)  # another token of the same person
    assert bob.read("threads.list", limit=9)["data"] == []
    foreign = bob.post("items.list", thread_id=thread, limit=9)
    unknown = bob.post("items.list", thread_id="thr_unknown", limit=9)
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())
    assert foreign.status_code == 404


# Mixed mode


@pytest.fixture
def mixed(settings_for):
    with served(create_app(settings_for(oidc_optional=True))) as url:
        yield url


def test_in_mixed_mode_a_visitor_without_a_token_is_anonymous(mixed):
    chat = Chat(mixed)
    found = session(chat).json()
    assert found["signedIn"] is False
    assert found["user"].keys() == {"id"}
    assert session(chat).json()["user"] == found["user"]


def test_in_mixed_mode_a_token_says_who_it_is_whatever_the_cookie_says(mixed, issuer):
    chat = Chat(mixed)
    session(chat)
    found = session(chat, bearer(issuer.token())).json()
    assert (found["signedIn"], found["user"]["id"]) == (True, owner_id(issuer.url, "ada", None))


@pytest.mark.parametrize("why", [why for why in REFUSED if "token" in why and why != "no token"])
def test_in_mixed_mode_a_token_that_is_not_valid_is_refused(mixed, why):
    chat = Chat(mixed)
    session(chat)
    assert session(chat, REFUSED[why][0]).status_code == 401


def test_in_mixed_mode_an_expired_token_is_refused(mixed, issuer):
    answer = session(Chat(mixed), bearer(issuer.token(exp=int(time.time()) - 120)))
    assert answer.status_code == 401


def test_in_mixed_mode_a_page_on_another_origin_keeps_its_anonymous_token(mixed):
    origin = {"origin": ELSEWHERE}
    first = session(Chat(mixed), origin).json()
    again = session(Chat(mixed), {**origin, **bearer(first["token"])}).json()
    assert again["user"] == first["user"]
    forged = session(Chat(mixed), {**origin, **bearer(first["token"] + "x")}).json()
    assert forged["user"] != first["user"]  # replaced, as where all are anonymous


# Rows of today


def row(partition, sort, **attributes):
    return {
        name: {"S": value} for name, value in {"pk": partition, "sk": sort}.items()
    } | attributes


FIELDS = {
    "M": {
        "allowed_image_domains": {"S": "null"},
        "created_at": {"S": '"2026-01-02T12:00:00"'},
        "id": {"S": '"thr_old"'},
        "status": {"S": '{"type": "active"}'},
        "title": {"S": '"Old"'},
    }
}
BODY = {
    "id": "msg_1",
    "thread_id": "thr_old",
    "created_at": "2026-01-02T12:00:00",
    "type": "user_message",
    "content": [{"type": "input_text", "text": "Hello"}],
    "attachments": [],
    "quoted_text": None,
    "inference_options": {"tool_choice": None, "model": None},
}


def write_old_rows(user_id):
    """A thread and its message, key by key as they were written before people could sign in."""
    partition = f"U#{user_id}"
    for old in (
        row(
            partition,
            "THREAD#thr_old",
            id={"S": "thr_old"},
            fields=FIELDS,
            metadata={"M": {}},
            position={"S": "2026-01-02T12:00:00.000000Z#thr_old"},
        ),
        row(
            f"{partition}#T#thr_old",
            "HEAD",
            fields=FIELDS,
            metadata={"M": {}},
            position={"S": "~"},
        ),
        row(
            f"{partition}#T#thr_old",
            "ITEM#msg_1",
            id={"S": "msg_1"},
            body={"S": json.dumps(BODY)},
            position={"S": "2026-01-02T12:00:00.000000Z#msg_1"},
            version={"S": "6b2cb80185bb2e692ce9f1ac66d858e4"},
        ),
    ):
        client("dynamodb").put_item(TableName=get_settings().table, Item=old)


def test_an_anonymous_visitor_keeps_what_was_written_before_people_could_sign_in(mixed):
    user = new_user([KEY], COOKIE)
    write_old_rows(user.id)
    chat = Chat(mixed)
    chat.http.cookies.set("chatkit_session", user.token)
    assert [each["title"] for each in chat.read("threads.list", limit=9)["data"]] == ["Old"]
    assert [item["id"] for item in chat.items("thr_old")] == ["msg_1"]
    chat.say("thr_old", "And today?")
    assert len(chat.items("thr_old")) == 3


def test_a_subject_that_is_an_anonymous_id_owns_nothing_of_that_visitor(mixed, issuer):
    user = new_user([KEY], COOKIE)
    write_old_rows(user.id)
    chat = Chat(mixed)
    chat.http.headers.update(bearer(issuer.token(sub=user.id)))
    assert chat.read("threads.list", limit=9)["data"] == []
    assert chat.post("items.list", thread_id="thr_old", limit=9).status_code == 404


# Tenants


@pytest.fixture
def tenants(settings_for):
    with served(create_app(settings_for(oidc_tenant_claim="org"))) as url:
        yield url


def test_one_persons_conversations_in_a_tenant_are_unknown_in_another(tenants, issuer):
    def within(org):
        chat = Chat(tenants)
        chat.http.headers.update(bearer(issuer.token(org=org)))
        return chat

    acme, globex = within("acme"), within("globex")
    thread = thread_of(acme.create())
    assert session(acme).json()["user"]["tenant"] == "acme"
    assert acme.items(thread)
    assert globex.read("threads.list", limit=9)["data"] == []
    foreign = globex.post("items.list", thread_id=thread, limit=9)
    unknown = globex.post("items.list", thread_id="thr_unknown", limit=9)
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def test_where_there_are_tenants_a_person_without_one_is_refused(tenants, issuer):
    answer = session(Chat(tenants), bearer(issuer.token()))
    assert answer.status_code == 403
    assert "cannot be used here" in answer.json()["message"]


# Roles


def tools_offered(model):
    return {tool["function"]["name"] for tool in model.requests[0]["tools"]}


@pytest.mark.parametrize(
    ("roles", "models", "refunds"),
    [
        (None, ["test", "everybodys"], False),
        (["guest"], ["test", "everybodys"], False),
        (["staff"], ["test", "everybodys"], True),
        (["admin", "guest"], ["test", "everybodys", "secret"], True),
    ],
)
def test_models_and_tools_with_roles_are_offered_to_whoever_has_one(
    person, model, roles, models, refunds
):
    """To the model, and to the page's menus."""
    ada = person(roles=roles)
    offered = session(ada).json()
    assert offered["models"] == models
    assert ("refund" in offered["tools"]) is refunds
    assert "add" in offered["tools"]
    ada.create("Hi")
    assert ("refund" in tools_offered(model)) is refunds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "secret"}, "There is no such model here."),
        ({"tool_choice": {"id": "refund"}}, "There is no such tool here."),
    ],
)
def test_what_needs_a_role_is_answered_like_what_does_not_exist(person, model, options, message):
    ada, admin = person(), person(sub="root", roles=["admin"])
    body = {"content": [{"type": "input_text", "text": "Hi"}], "attachments": []}
    answer = ada.post("threads.create", input={**body, "inference_options": options})
    unknown = {name: "none" if name == "model" else {"id": "none"} for name in options}
    as_unknown = ada.post("threads.create", input={**body, "inference_options": unknown})
    assert (answer.status_code, answer.json()) == (422, {"message": message})
    assert (as_unknown.status_code, as_unknown.json()) == (422, {"message": message})
    assert model.requests == []
    assert admin.create("Hi", inference_options=options)


def test_the_model_that_a_role_allows_answers(person, model):
    person(roles=["admin"]).create("Hi", inference_options={"model": "secret"})
    assert model.requests[0]["model"] == "secret"


def test_a_role_that_was_taken_away_no_longer_picks_a_tool_on_a_retry(person, model):
    admin = person(roles=["staff"])
    thread = thread_of(admin.create("Hi", inference_options={"tool_choice": {"id": "refund"}}))
    message = admin.items(thread)[0]["id"]
    model.requests.clear()
    person().stream("threads.retry_after_item", thread_id=thread, item_id=message)
    assert "refund" not in tools_offered(model)
    assert model.requests[0].get("tool_choice") in (None, "auto")


# Costs and logs


def test_a_token_takes_no_round_trip_to_aws_but_the_one_that_asks_who_signed_out(
    person, monkeypatch
):
    ada = person()
    seen = []
    call = aws.call

    async def counted(method, /, **kwargs):
        seen.append(kwargs["Key"]["sk"]["S"])
        return await call(method, **kwargs)

    monkeypatch.setattr(aws, "call", counted)
    session(ada)
    assert seen == ["SIGNED_OUT"]


def test_somebody_who_signs_out_everywhere_has_to_sign_in_again(person, issuer):
    now = int(time.time())
    ada, elsewhere = person(), person()
    assert ada.http.post("/chatkit/session/end").status_code == 204
    for chat in (ada, elsewhere):
        assert session(chat).status_code == 401
        assert chat.post("threads.list", limit=9).status_code == 401
    # A renewed token is no new sign-in: it says when the person entered their password.
    renewed = person(auth_time=now - 60, iat=now + 30)
    assert session(renewed).status_code == 401
    assert session(person(auth_time=now + 30, iat=now + 30)).status_code == 200
    assert session(person(sub="bob")).status_code == 200


def test_no_line_of_the_log_has_a_token(person, issuer, server, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = [issuer.token(), issuer.token(aud="other"), issuer.token(exp=1), "garbage.of.mine"]
    for token in tokens:
        session(Chat(server), bearer(token))
    for token in tokens:
        assert token.rpartition(".")[2] not in caplog.text
    assert "its aud does not name CHATKIT_OIDC_AUDIENCE" in caplog.text
