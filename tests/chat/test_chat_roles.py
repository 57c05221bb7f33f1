"""What a person may use by their roles, and what belongs to which tenant."""

import pytest

from functions.chat.app import create_app
from tests.support.chat import Chat, thread_of
from tests.support.issuer import bearer
from tests.support.served import served
from tests.support.signing_in import session


@pytest.fixture
def app_settings(sign_in_settings):
    return sign_in_settings()


@pytest.fixture
def tenants(sign_in_settings):
    with served(create_app(sign_in_settings(oidc_tenant_claim="org"))) as url:
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
    assert list(offered["modelLabels"]) == models
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
