"""A stage on Amazon Bedrock has no key, and its function may ask exactly the models it names."""

import json
import os

import pytest
from botocore.credentials import Credentials

from tests.infra.stack.iam import Need, as_list, statements_of
from tests.infra.stack.stage import ACCOUNT, REGION
from tests.infra.stack.variants import PROFILE
from tests.support.bedrock_server import BedrockServer
from tests.support.chat import Chat
from tests.support.openai_server import Say
from tests.support.served import served

MODEL, OTHER = "openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b-1:0"
INVOKE = {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}
MODELS = {"Models", "Profiles", "ProfileModels", "Project"}
PLACE = f"arn:aws:bedrock:{REGION}"


@pytest.fixture(scope="module")
def template(synth):
    return synth(provider="bedrock", model=MODEL)["chatkit-dev"]


def allowed(synth, function="Chat", **typed):
    """The statements about models of one role."""
    (template,) = synth(provider="bedrock", **typed).values()
    roles = [n for n in template.of_type("AWS::IAM::Role") if n.startswith(f"{function}Role")]
    found = [each for role in roles for each in statements_of(template, role)]
    places = [
        (each["Sid"], json.dumps(each["Resource"]), each.get("Condition"))
        for each in found
        if each["Sid"] in MODELS
    ]
    assert all(each["Sid"] in MODELS or "bedrock" not in str(each) for each in found)
    return {
        sid: (_plain(resource), json.loads(_plain(json.dumps(condition))))
        for sid, resource, condition in places
    }


def _plain(text):
    """An ARN of a template in short: `Ref` and `Fn::Join` replaced by what they stand for."""
    value = json.loads(text)

    def of(part):
        match part:
            case {"Ref": name}:
                return {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}[
                    name
                ]
            case {"Fn::Join": [by, parts]}:
                return by.join(map(of, parts))
            case dict():
                return {key: of(each) for key, each in part.items()}
            case list():
                return [of(each) for each in part]
        return part

    return json.dumps(of(value))


def test_a_stage_on_bedrock_has_no_secret_of_a_model_and_no_output_that_asks_for_one(template):
    secrets = template.of_type("AWS::SecretsManager::Secret")
    assert [name for name in secrets if "Model" in name] == []
    assert "ModelSecret" not in template.body["Outputs"]
    variables = template.only("AWS::Lambda::Function", "ChatFunction")["Environment"]["Variables"]
    assert variables["CHATKIT_PROVIDER"] == "bedrock"
    assert [name for name in variables if "KEY" in name] == ["CHATKIT_COOKIE_KEY_SECRET"]


@pytest.fixture
def bedrock(stage, model, monkeypatch):
    """Asks the stage's model through a server that knows the key of this process, and that holds
    each request to the role. Returns the answer's events and the rights that were missing.
    """
    for name in ("CHATKIT_PROVIDER", "CHATKIT_MODEL", "CHATKIT_MODEL_API", "OPENAI_BASE_URL"):
        monkeypatch.delitem(stage.extra, name)
    key = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])

    def ask(role, **settings):
        model.script, model._answered, denied = [Say("Hello.")], 0, set()

        def allows(body):
            arn = f"{PLACE}::foundation-model/{body['model']}"
            action = "InvokeModelWithResponseStream" if body.get("stream") else "InvokeModel"
            need = Need(f"bedrock:{action}", arn)
            (role.asked if role.permits(need) else denied).add(need)
            return need not in denied

        with served(BedrockServer(model, key, allows=allows)) as url:
            address = {"AWS_BEDROCK_BASE_URL": f"{url}/openai/v1"}
            with pytest.MonkeyPatch.context() as patch:
                for name, value in (address | settings).items():
                    patch.setitem(stage.extra, name, value)
                with stage.running("Chat", role) as chat:
                    return Chat(chat).create("Hi"), denied

    return ask


def test_the_role_is_enough_for_an_answer_with_its_title(stage, bedrock):
    role = stage.role("Chat")
    events, denied = bedrock(role)
    assert events[-1]["type"] != "error", events[-1]
    assert (denied, role.denied) == (set(), [])
    assert {need.action for need in role.asked if need.action.startswith("bedrock")} == INVOKE


def test_without_its_statement_and_for_another_model_the_answer_is_refused(stage, bedrock):
    for role, settings in (
        (stage.role("Chat", without="Models"), {}),
        (stage.role("Chat"), {"CHATKIT_MODEL": OTHER}),
    ):
        events, denied = bedrock(role, **settings)
        assert events[-1]["type"] == "error"
        assert denied


def test_the_rights_are_those_to_the_models_that_may_answer(synth):
    models = [{"id": "a", "model": MODEL, "provider": "bedrock"}, {"id": "b", "model": OTHER}]
    arns = [f"{PLACE}::foundation-model/{name}" for name in ("c.d", MODEL, OTHER)]
    found = allowed(synth, models=json.dumps(models), fallbackModel="c.d")
    assert found == {"Models": (json.dumps(arns), None)}


@pytest.mark.parametrize(
    ("model", "profile", "behind"),
    [
        (
            "us.anthropic.claude-sonnet-4-6",
            f"{PLACE}:{ACCOUNT}:inference-profile/us.anthropic.claude-sonnet-4-6",
            "arn:aws:bedrock:*::foundation-model/anthropic.claude-sonnet-4-6",
        ),
        (
            "global.amazon.nova-2-lite-v1:0",
            f"{PLACE}:{ACCOUNT}:inference-profile/global.amazon.nova-2-lite-v1:0",
            [
                f"{PLACE}::foundation-model/amazon.nova-2-lite-v1:0",
                "arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0",
            ],
        ),
        (PROFILE, PROFILE, "arn:aws:bedrock:*::foundation-model/*"),
    ],
)
def test_a_profile_gives_the_rights_to_what_is_behind_it_and_only_through_it(
    synth, model, profile, behind
):
    through = {"StringEquals": {"bedrock:InferenceProfileArn": [profile]}}
    found = allowed(synth, model=model)
    assert found == {
        "Profiles": (json.dumps(profile), None),
        "ProfileModels": (json.dumps(behind), through),
    }


@pytest.mark.parametrize(
    ("typed", "project"), [({}, "default"), ({"bedrockProject": "proj_1"}, "proj_1")]
)
def test_on_the_endpoint_mantle_the_right_is_that_to_a_project(synth, typed, project):
    arn = f"arn:aws:bedrock-mantle:{REGION}:{ACCOUNT}:project/{project}"
    found = allowed(synth, bedrockEndpoint="mantle", **typed)
    assert found == {"Project": (json.dumps(arn), None)}


@pytest.mark.parametrize("function", ["Actions", "Events", "Data"])
def test_no_other_role_may_ask_a_model(synth, function):
    assert allowed(synth, function, isolation="session") == {}
    assert allowed(synth, isolation="session").keys() == {"Models"}


def test_the_streaming_function_reads_the_keys_of_all_providers_and_no_other_function_does(synth):
    models = [{"id": "gpt-5", "provider": "openai"}, {"id": "flash", "provider": "gemini"}]
    (template,) = synth(provider="bedrock", model=MODEL, models=json.dumps(models)).values()
    readers = {
        role: as_list(statement["Resource"])
        for role in template.of_type("AWS::IAM::Role")
        for statement in statements_of(template, role)
        if statement.get("Sid") == "ModelKey"
    }
    ((reader, keys),) = readers.items()
    assert reader.startswith("ChatRole")
    assert len(keys) == 2
    assert {"OpenaiSecret", "GeminiSecret"} <= template.body["Outputs"].keys()
