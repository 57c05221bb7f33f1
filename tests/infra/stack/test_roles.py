"""The roles are enough, and no more: the functions' real code, held to the template's policies."""

import asyncio
import json
import secrets
from dataclasses import replace
from itertools import product

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from functions.aws import clients
from functions.context import RequestContext
from functions.settings import Settings, forget_settings
from functions.store import DynamoDBStore
from infra.local.cloud import local_cloud
from tests.infra.stack.iam import Need, Role, as_list, statements_of
from tests.infra.stack.stage import (
    ACCOUNT,
    BUCKET,
    PNG,
    QUEUE,
    REGION,
    TABLE,
    Stage,
    large_text,
    run,
    upload,
)
from tests.support.chat import Chat, thread_of
from tests.support.openai_server import Call, OpenAIServer, Say
from tests.support.served import served
from tests.support.speech import tone

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/the-key"


# Lambda writes the logs itself.
LAMBDAS_OWN = {"WriteLogs"}


OF_THE_KEY = {"DataKey", "NewDataKey"}


@pytest.fixture(scope="module")
def template(synth):
    """With a KMS key, which only adds statements to the roles."""
    return synth(provider="openai", kms="true")["chatkit-dev"]


@pytest.fixture(scope="module")
def cloud():
    """moto with table, bucket and secrets, reached by an administrator."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
            patch.setenv(name, "")  # named, so that what local_cloud sets is put back as well
        patch.setenv("AWS_REGION", REGION)
        patch.setenv("CHATKIT_TABLE", TABLE)
        patch.setenv("CHATKIT_ATTACHMENTS_BUCKET", BUCKET)
        # A moto of its own, because the one of local_cloud answers a single key, and no roles.
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        forget_settings()
        with local_cloud(Settings(_env_file=None)) as environment:
            yield environment
        server.stop()
    forget_settings()
    clients._client.cache_clear()


@pytest.fixture(scope="module")
def names(template, cloud):
    """What the template's references stand for in moto."""
    vault = boto3.client("secretsmanager", region_name=REGION)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    described = boto3.client("dynamodb", region_name=REGION).describe_table(TableName=TABLE)
    stream = described["Table"]["LatestStreamArn"]
    names = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
    for name, resource in template.resources.items():
        kind = resource["Type"]
        if kind == "AWS::DynamoDB::Table":
            names |= {name: TABLE, f"{name}.Arn": table, f"{name}.StreamArn": stream}
        elif kind == "AWS::S3::Bucket" and name.startswith("Files"):
            names |= {name: BUCKET, f"{name}.Arn": f"arn:aws:s3:::{BUCKET}"}
        elif kind == "AWS::SecretsManager::Secret":
            value = secrets.token_hex(32)
            names[name] = vault.create_secret(Name=name, SecretString=value)["ARN"]
        elif kind == "AWS::SQS::Queue":
            boto3.client("sqs", region_name=REGION).create_queue(QueueName=QUEUE)
            names[f"{name}.Arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"
        elif kind == "AWS::KMS::Key":
            names[f"{name}.Arn"] = KEY
        elif kind == "AWS::Logs::LogGroup":
            names[f"{name}.Arn"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
    return names


@pytest.fixture(scope="module")
def model():
    return OpenAIServer()


@pytest.fixture(scope="module")
def model_url(model):
    with served(model.app) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def stage(template, names, model, model_url):
    return Stage(template, names, model, model_url)


@pytest.fixture(scope="module")
def lived_in(stage, model):
    """Two threads of one visitor: one with a card, and one that was deleted."""
    everything = Role([{"Effect": "Allow", "Action": "*", "Resource": "*"}], ACCOUNT)
    with stage.running("Chat", everything) as url:
        chat = Chat(url)
        model._answered = 0
        model.script = [Call("show_items", {"add": ["milk", "bread"]}), Say("Here.")]
        pressed_in = thread_of(chat.create("My list"))
        model.script = [Say("Yes.")]
        deleted = thread_of(chat.create(large_text()))
        given = {"name": "a.png", "size": len(PNG), "mime_type": "image/png"}
        file = chat.read("attachments.create", **given)
        upload(file["upload_descriptor"]["url"], everything, PNG, "image/png")
        chat.say(deleted, "Look", attachments=[file["id"]])
        user = chat.http.post("/chatkit/session").json()["user"]["id"]
        store = DynamoDBStore(TABLE, bucket=BUCKET, purge="stream")
        asyncio.run(store.delete_thread(deleted, RequestContext(user_id=user)))
        shown = next(item for item in chat.items(pressed_in) if item["type"] == "widget")
    return chat, shown, user, deleted


@pytest.fixture(scope="module")
def asked(stage, model, lived_in):
    """The rights that each function needed for all its operations; none was denied."""
    found = {}
    for function in ("Chat", "Actions"):
        role = stage.role(function)
        run(stage, function, role, model, lived_in)
        assert role.denied == []
        found[function] = role.asked
    return found


@pytest.mark.parametrize("function", ["Chat", "Actions"])
def test_a_role_is_enough_for_all_its_function_does(asked, function):
    assert len({need.action for need in asked[function]}) > 5


def grants(statement):
    """A statement's single rights: each action on each resource, through each service."""
    through = statement.get("Condition", {}).get("StringLike", {}).get("kms:ViaService")
    for action, resource, service in product(
        as_list(statement["Action"]), as_list(statement["Resource"]), as_list(through)
    ):
        narrow = {"Condition": {"StringLike": {"kms:ViaService": service}}} if service else {}
        yield {**statement, "Action": action, "Resource": resource, **narrow}


@pytest.mark.parametrize("function", ["Chat", "Actions"])
def test_every_right_of_every_statement_is_one_that_the_function_uses(stage, asked, function):
    for statement in stage.statements(function):
        if statement["Sid"] in LAMBDAS_OWN:
            continue
        for grant in grants(statement):
            alone = Role([grant], ACCOUNT)
            assert any(alone.permits(need) for need in asked[function]), grant


@pytest.mark.parametrize(
    ("function", "sid"),
    [
        *(("Chat", sid) for sid in ("Rows", "Index", "Objects", "List", "CookieKey", "ModelKey")),
        *(("Actions", sid) for sid in ("Rows", "Objects", "List", "CookieKey", "ModelKey")),
        *(("Actions", sid) for sid in ("ReadStream", "ListStreams", "DeadLetters")),
        *((function, sid) for function in ("Chat", "Actions") for sid in sorted(OF_THE_KEY)),
    ],
)
def test_without_one_statement_something_breaks(stage, model, lived_in, function, sid):
    role = stage.role(function, without=sid)
    with pytest.raises((AssertionError, StopIteration, ClientError, KeyError)):
        run(stage, function, role, model, lived_in)
    removed = Role([s for s in stage.statements(function) if s["Sid"] == sid], ACCOUNT)
    assert role.denied
    assert all(removed.permits(need) for need in role.denied)


@pytest.mark.parametrize("function", ["Chat", "Actions"])
def test_every_statement_is_one_whose_removal_is_tried(stage, function):
    tried = {
        args[1]
        for mark in test_without_one_statement_something_breaks.pytestmark
        for args in mark.args[1]
        if args[0] == function
    }
    assert {s["Sid"] for s in stage.statements(function)} - LAMBDAS_OWN == tried


@pytest.mark.parametrize("function", ["Chat", "Actions"])
def test_another_table_bucket_or_secret_is_denied(stage, asked, function):
    role = stage.role(function)
    for need in asked[function]:
        for ours in (TABLE, BUCKET):
            other = Need(need.action, need.resource.replace(ours, f"{ours}-2"))
            assert other == need or not role.permits(other), other
    vault = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:other-AbCdEf"
    assert not role.permits(Need("secretsmanager:GetSecretValue", vault))
    assert not role.permits(Need("dynamodb:DeleteTable", stage.names_arn("Table")))
    assert not role.permits(Need("dynamodb:Scan", stage.names_arn("Table")))


def test_the_key_is_used_by_both_functions_only_through_what_keeps_data_with_it(stage, asked):
    for function in ("Chat", "Actions"):
        role = stage.role(function)
        used = {need for need in asked[function] if need.action.startswith("kms:")}
        assert {(need.action, need.via.split(".")[0]) for need in used} == {
            ("kms:Decrypt", "dynamodb"),
            ("kms:Decrypt", "s3"),
            ("kms:Decrypt", "secretsmanager"),
            ("kms:GenerateDataKey", "s3"),
        }
        for need in used:
            assert need.resource == KEY
            assert not role.permits(replace(need, via=""))
            assert not role.permits(replace(need, via=f"sqs.{REGION}.amazonaws.com"))
            assert not role.permits(replace(need, resource=f"{KEY}-2"))


def test_a_role_that_touches_nothing_encrypted_has_no_right_to_the_key(template):
    for name in template.of_type("AWS::IAM::Role"):
        statements = statements_of(template, name)
        inline = template.resources[name]["Properties"].get("Policies", [])
        ours = name.startswith(("ChatRole", "ActionsRole"))
        assert ("kms:" in json.dumps([statements, inline])) == ours, name


def test_without_a_key_of_ones_own_the_roles_are_the_same_but_for_it(synth, template):
    default = synth(provider="openai")["chatkit-dev"]
    assert not default.of_type("AWS::KMS::Key")
    roles = [n for n in template.of_type("AWS::IAM::Role") if n.startswith(("Chat", "Actions"))]
    assert len(roles) == 2
    for role in roles:
        with_key = statements_of(template, role)
        assert {s["Sid"] for s in with_key} > OF_THE_KEY
        assert statements_of(default, role) == [s for s in with_key if s["Sid"] not in OF_THE_KEY]


@pytest.fixture
def stage_of_others(template, names, model, model_url, request):
    """Our functions and our roles, pointed at a table or a bucket that is somebody else's."""
    other = Stage(template, names, model, model_url)
    variable, name = request.param
    other.extra[variable] = f"{name}-2"
    return other, name


@pytest.mark.parametrize("function", ["Chat", "Actions"])
@pytest.mark.parametrize(
    "stage_of_others",
    [("CHATKIT_TABLE", TABLE), ("CHATKIT_ATTACHMENTS_BUCKET", BUCKET)],
    indirect=True,
    ids=["table", "bucket"],
)
def test_the_code_gets_nothing_from_another_table_or_bucket(
    stage_of_others, model, lived_in, function
):
    stage, ours = stage_of_others
    role = stage.role(function)
    with pytest.raises((AssertionError, StopIteration, ClientError, KeyError)):
        run(stage, function, role, model, lived_in)
    assert role.denied
    assert all(f"{ours}-2" in need.resource for need in role.denied)


def test_the_second_function_lists_no_conversations_and_checks_no_new_thread(stage):
    chat, actions = stage.role("Chat"), stage.role("Actions")
    table = stage.names_arn("Table")
    for need in (
        Need("dynamodb:Query", f"{table}/index/by_position"),
        Need("dynamodb:ConditionCheckItem", table),
    ):
        assert chat.permits(need)
        assert not actions.permits(need)


def test_the_second_function_reads_the_models_key_only_where_it_transcribes_with_it(synth):
    def readers(sid="ModelKey", **typed):
        (template,) = synth(**typed).values()
        return {
            name
            for name in ("Chat", "Actions")
            for role in template.of_type("AWS::IAM::Role")
            if role.startswith(f"{name}Role")
            for statement in statements_of(template, role)
            if statement["Sid"] == sid
        }

    assert readers(provider="openai") == {"Chat", "Actions"}
    assert readers(provider="openai", voice="false") == {"Chat"}
    assert readers(provider="demo") == set()
    own = {"transcriptionBaseUrl": "https://whisper.example/v1", "transcriptionSecret": "whisper"}
    assert readers(provider="openai", **own) == {"Chat"}
    assert readers("TranscriptionKey", **own) == {"Chat", "Actions"}
    assert readers("TranscriptionKey", provider="openai") == set()


def transcribe(url, model):
    model.headers.clear()
    files = {"file": ("note.wav", tone(), "audio/wav")}
    answer = Chat(url).http.post("/actions/transcribe", files=files)
    assert answer.status_code == 200, answer.text
    return model.headers[-1].get("authorization")


def test_a_transcription_server_gets_its_own_key_and_only_one_statement_allows_it(
    synth, names, model, model_url
):
    """The settings name the secret with the whisper server's key; the stack does not make it."""
    settings = {
        "provider": "openai",
        "transcriptionBaseUrl": "https://whisper.example/v1",
        "transcriptionSecret": "our/whisper",
    }
    vault = boto3.client("secretsmanager", region_name=REGION)
    vault.create_secret(Name="our/whisper", SecretString="whisper-key")
    stage = Stage(synth(**settings)["chatkit-dev"], names, model, model_url)
    stage.extra |= {"CHATKIT_TRANSCRIPTION_BASE_URL": model_url}
    del stage.extra["CHATKIT_TRANSCRIPTION"]

    allowed = stage.role("Actions")
    with stage.running("Actions", allowed) as url:
        assert transcribe(url, model) == "Bearer whisper-key"
    assert allowed.denied == []

    role = stage.role("Actions", without="TranscriptionKey")
    with stage.running("Actions", role) as url, pytest.raises(AssertionError):
        transcribe(url, model)
    assert {need.resource for need in role.denied} == {
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:our/whisper-aB3dE6"
    }


@pytest.mark.parametrize("function", ["Chat", "Actions"])
def test_no_statement_is_wider_than_the_stacks_own_things(stage, function):
    for statement in stage.statements(function):
        if statement["Action"] == "dynamodb:ListStreams":
            continue  # IAM cannot limit it to a resource
        for resource in as_list(statement["Resource"]):
            assert resource != "*", statement
            assert not resource.endswith((":*", ":table/*", ":::*")), statement
        for action in as_list(statement["Action"]):
            assert "*" not in action, statement
