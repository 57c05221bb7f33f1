"""`isolation=session`: the functions do all they do with the data role, and need each right."""

import asyncio

import pytest
from botocore.exceptions import ClientError

from functions.attachments import S3AttachmentStore
from functions.attachments.schema import image_key
from functions.aws import owner_sessions
from functions.context import RequestContext
from functions.store.sweep import ATTRIBUTES
from tests.infra.stack.iam import Role, as_list, grants
from tests.infra.stack.stage import ACCOUNT, BUCKET, FUNCTIONS, LAMBDAS_OWN, PNG, run
from tests.support.chat import Chat, thread_of
from tests.support.openai_server import Say
from tests.support.round_trips import Recorder

UNCHANGED = {"CookieKey", "ModelKey", "DeadLetters", "ReadStream", "ListStreams", "Scan", "List"}
"""Statements that the roles have without the setting, too: `test_roles.py` tries these."""

TRIED = [
    ("Chat", "Counters"),
    ("Chat", "Totals"),
    ("Chat", "Session"),
    ("Chat", "DataKey"),
    ("Chat", "Data Rows"),
    ("Chat", "Data Index"),
    ("Chat", "Data Objects"),
    ("Chat", "Data List"),
    ("Chat", "Data DataKey"),
    ("Chat", "Data NewDataKey"),
    ("Actions", "Counters"),
    ("Actions", "Session"),
    ("Actions", "DataKey"),
    ("Sweep", "Pass"),
    ("Sweep", "Threads"),
    ("Sweep", "Session"),
    ("Sweep", "DataKey"),
    ("Events", "Session"),
    ("Events", "DataKey"),
]


@pytest.fixture(scope="module")
def template(synth):
    return synth(provider="openai", kms="true", isolation="session")["chatkit-dev"]


@pytest.fixture(scope="module")
def asked(stage, model, lived_in):
    """The rights that each role needed for all operations; none was denied."""
    found = {"Data": set()}
    for function in FUNCTIONS:
        role = stage.role(function)
        run(stage, function, role, model, lived_in)
        assert role.denied == role.data.denied == []
        found[function] = role.asked
        found["Data"] |= role.data.asked
    return found


async def draw():
    """A generated image, which the sample's model does not make."""
    files, context = S3AttachmentStore(BUCKET), RequestContext(user_id="anon_ada")
    await files.put_image("thr_1", "img_1", PNG, context)
    place = image_key("anon_ada", "thr_1", "img_1")
    assert await files.bucket.get(place) == PNG
    await files.bucket.delete(place)


def test_the_whole_life_of_a_person_goes_on_behind_the_wall(asked):
    assert {need.action for need in asked["Data"]} > {"dynamodb:Query", "s3:PutObject"}
    for function in FUNCTIONS:
        for need in asked[function]:
            if need.action.startswith("dynamodb:"):
                given = dict(need.given)
                keys = given.get("dynamodb:LeadingKeys")
                shared = keys is not None and keys[0].startswith(("L#", "S#", "SWEEP"))
                names = {*given.get("dynamodb:Attributes", ["all"])} <= {*ATTRIBUTES}
                assert shared or names or "/stream/" in need.resource or need.resource == "*", need
            assert not need.action.startswith("s3:") or need.action == "s3:ListBucket", need


def test_every_right_behind_the_wall_is_one_that_a_function_uses(stage, asked):
    role = stage.role("Chat")
    with stage.within("Chat", role), owner_sessions.acting_for("anon_ada"):
        asyncio.run(draw())
    used = asked | {"Data": asked["Data"] | role.data.asked}
    for name, needs in used.items():
        for statement in stage.statements(name):
            if statement["Sid"] in LAMBDAS_OWN:
                continue
            for grant in grants(statement):
                alone = Role([grant], ACCOUNT)
                assert any(alone.permits(need) for need in needs), grant


@pytest.mark.parametrize(("function", "sid"), TRIED)
def test_without_one_statement_something_breaks(stage, model, lived_in, function, sid):
    role = stage.role(function, without=sid)
    with pytest.raises((AssertionError, StopIteration, ClientError, KeyError)):
        run(stage, function, role, model, lived_in)
    owner = "Data" if sid.startswith("Data ") else function
    removed = [s for s in stage.statements(owner) if s["Sid"] == sid.removeprefix("Data ")]
    denied = role.denied + role.data.denied
    assert denied
    assert all(Role(removed, ACCOUNT).permits(need) for need in denied)


def test_every_statement_is_one_whose_removal_is_tried(stage):
    for function in FUNCTIONS:
        sids = {statement["Sid"] for statement in stage.statements(function)}
        tried = {sid for name, sid in TRIED if name == function}
        assert sids - LAMBDAS_OWN - UNCHANGED == {sid for sid in tried if "Data " not in sid}
    ours = {f"Data {statement['Sid']}" for statement in stage.statements("Data")}
    assert ours == {sid for _, sid in TRIED if sid.startswith("Data ")}


def test_a_message_makes_two_round_trips_before_the_model_behind_the_wall(
    stage, model, monkeypatch
):
    role = stage.role("Chat")
    with stage.running("Chat", role) as url:
        chat = Chat(url)
        model.script, model._answered = [Say("Hello."), Say("Again.")], 0
        thread = thread_of(chat.create("Hi"))
        recorder = Recorder(model, monkeypatch)
        given = len(role.sessions)
        chat.say(thread, "And?")
    assert len(recorder.round_trips()) <= 2, recorder.round_trips()
    assert len(role.sessions) == given == 1, "the person's session serves their next message, too"


def test_only_our_functions_are_given_a_session_and_only_with_both_tags(stage, template):
    (trust,) = (
        resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for name, resource in template.of_type("AWS::IAM::Role").items()
        if name.startswith("DataRole")
    )
    arns = {stage.role(function).arn for function in FUNCTIONS}
    trusted = [as_list(statement["Principal"]["AWS"]) for statement in stage.role("Data").trust]
    assert {arn for each in trusted for arn in each} == arns
    for statement in trust:
        assert statement["Condition"] == {
            "StringLike": {"aws:RequestTag/owner": "?*", "aws:RequestTag/folder": "?*"}
        }


def test_by_default_there_is_no_data_role_and_no_right_to_a_session(dev):
    assert "sts:TagSession" not in str(dev.body)
    assert "CHATKIT_DATA_ROLE" not in str(dev.body)
