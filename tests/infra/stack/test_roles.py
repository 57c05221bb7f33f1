"""The roles are enough, and no more: the functions' real code, held to the template's policies."""

import json
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.infra.stack.iam import Need, Role, as_list, grants, statements_of
from tests.infra.stack.stage import (
    ACCOUNT,
    BUCKET,
    FUNCTIONS,
    LAMBDAS_OWN,
    QUEUE,
    REGION,
    TABLE,
    Stage,
    run,
)
from tests.support.chat import Chat
from tests.support.mcp_server import shop
from tests.support.speech import tone
from tests.support.turnstile import SECRET, turnstile

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/the-key"


OF_THE_KEY = {"DataKey", "NewDataKey"}


@pytest.fixture(scope="module")
def template(synth):
    """With a KMS key, which only adds statements to the roles."""
    return synth(provider="openai", kms="true")["chatkit-dev"]


@pytest.fixture(scope="module")
def asked(stage, model, lived_in):
    """The rights that each function needed for all its operations; none was denied."""
    found = {}
    for function in FUNCTIONS:
        role = stage.role(function)
        run(stage, function, role, model, lived_in)
        assert role.denied == []
        found[function] = role.asked
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_is_enough_for_all_its_function_does(asked, function):
    assert len({need.action for need in asked[function]}) > 5


@pytest.mark.parametrize("function", FUNCTIONS)
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
        *(("Events", sid) for sid in ("Rows", "Objects", "List", "DataKey")),
        *(("Events", sid) for sid in ("ReadStream", "ListStreams", "DeadLetters")),
        *(("Sweep", sid) for sid in ("Scan", "Pass", "Rows", "Objects", "List", "DataKey")),
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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_statement_is_one_whose_removal_is_tried(stage, function):
    tried = {
        args[1]
        for mark in test_without_one_statement_something_breaks.pytestmark
        for args in mark.args[1]
        if args[0] == function
    }
    assert {s["Sid"] for s in stage.statements(function)} - LAMBDAS_OWN == tried


@pytest.mark.parametrize("function", FUNCTIONS)
def test_another_table_bucket_or_secret_is_denied(stage, asked, function):
    role = stage.role(function)
    for need in asked[function]:
        for ours in (TABLE, BUCKET):
            other = replace(need, resource=need.resource.replace(ours, f"{ours}-2"))
            assert other == need or not role.permits(other), other
    vault = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:other-AbCdEf"
    assert not role.permits(Need("secretsmanager:GetSecretValue", vault))
    assert not role.permits(Need("dynamodb:DeleteTable", stage.names_arn("Table")))
    assert not role.permits(Need("dynamodb:Scan", stage.names_arn("Table")))


def test_the_key_is_used_only_through_what_keeps_data_with_it(stage, asked):
    rows = {("kms:Decrypt", "dynamodb")}
    reads = {*rows, ("kms:Decrypt", "s3")}
    for function in FUNCTIONS:
        role = stage.role(function)
        used = {need for need in asked[function] if need.action.startswith("kms:")}
        more = {("kms:Decrypt", "secretsmanager"), ("kms:GenerateDataKey", "s3")}
        assert {(need.action, need.via.split(".")[0]) for need in used} == (
            {"Events": reads, "Sweep": rows}.get(function, reads | more)
        )
        for need in used:
            assert need.resource == KEY
            assert not role.permits(replace(need, via=""))
            assert not role.permits(replace(need, via=f"sqs.{REGION}.amazonaws.com"))
            assert not role.permits(replace(need, resource=f"{KEY}-2"))


def test_a_role_that_touches_nothing_encrypted_has_no_right_to_the_key(template):
    for name in template.of_type("AWS::IAM::Role"):
        statements = statements_of(template, name)
        inline = template.resources[name]["Properties"].get("Policies", [])
        shipped = ("ChatRole", "ActionsRole", "EventsRole", "ChangesRole", "SweepRole")
        ours = name.startswith(shipped)
        assert ("kms:" in json.dumps([statements, inline])) == ours, name


def test_without_a_key_of_ones_own_the_roles_are_the_same_but_for_it(synth, template):
    default = synth(provider="openai")["chatkit-dev"]
    assert not default.of_type("AWS::KMS::Key")
    roles = [n for n in template.of_type("AWS::IAM::Role") if n.startswith(FUNCTIONS)]
    assert len(roles) == len(FUNCTIONS)
    for role in roles:
        with_key = statements_of(template, role)
        assert {s["Sid"] for s in with_key} & OF_THE_KEY
        assert statements_of(default, role) == [s for s in with_key if s["Sid"] not in OF_THE_KEY]


@pytest.fixture
def stage_of_others(template, names, model, model_url, request):
    """Our functions and our roles, pointed at a table or a bucket that is somebody else's."""
    other = Stage(template, names, model, model_url)
    variable, name = request.param
    other.extra[variable] = f"{name}-2"
    return other, name


@pytest.mark.parametrize("function", FUNCTIONS)
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


def test_the_second_function_lists_no_conversations(stage):
    chat, actions = stage.role("Chat"), stage.role("Actions")
    table = stage.names_arn("Table")
    for need in (
        Need("dynamodb:Query", f"{table}/index/by_position"),
        Need("dynamodb:Query", table),
    ):
        assert chat.permits(need)
        assert not actions.permits(need)


def test_the_second_function_reads_no_event_and_removes_no_batch(stage):
    actions, events = stage.role("Actions"), stage.role("Events")
    table, stream = stage.names_arn("Table"), stage.statements("Events")
    (stream,) = (s["Resource"] for s in stream if s["Sid"] == "ReadStream")
    for need in (
        Need("dynamodb:GetRecords", stream),
        Need("dynamodb:ListStreams", "*"),
        Need("dynamodb:BatchWriteItem", table),
        Need("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"),
    ):
        assert events.permits(need)
        assert not actions.permits(need)


def test_the_events_function_stores_nothing_and_reads_no_secret(stage, names):
    actions, events = stage.role("Actions"), stage.role("Events")
    table, file = stage.names_arn("Table"), f"arn:aws:s3:::{BUCKET}/files/f/x"
    secrets = [arn for name, arn in names.items() if name.startswith("Secrets")]
    assert len(secrets) == 2
    for need in (
        *(Need(f"dynamodb:{verb}Item", table) for verb in ("Put", "Update")),
        Need("s3:PutObject", file),
        *(Need("secretsmanager:GetSecretValue", arn) for arn in secrets),
    ):
        assert actions.permits(need), need
        assert not events.permits(need), need


def test_the_sweep_reads_no_words_of_people_and_no_object(stage):
    """It may read all rows, but only their keys and the names of their objects."""
    (scan,) = (s for s in stage.statements("Sweep") if s["Sid"] == "Scan")
    role, table = Role([scan], ACCOUNT), stage.names_arn("Table")
    some = ("dynamodb:Select", ("SPECIFIC_ATTRIBUTES",))

    def scanning(*names, select=some):
        given = (("dynamodb:Attributes", names),) if names else ()
        return Need("dynamodb:Scan", table, given=(*given, select))

    assert role.permits(scanning("pk", "sk", "spill", "image"))
    assert not role.permits(scanning("pk", "body"))
    assert not role.permits(scanning())
    assert not role.permits(scanning("pk", select=("dynamodb:Select", ("ALL_ATTRIBUTES",))))
    whole = stage.role("Sweep")
    for action in ("s3:GetObject", "s3:PutObject"):
        assert not whole.permits(Need(action, f"arn:aws:s3:::{BUCKET}/files/f/x"))
    assert not whole.permits(Need("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/knowledge/x"))


def test_the_second_function_reads_the_models_key_only_where_it_transcribes_with_it(synth):
    def readers(sid="ModelKey", **typed):
        (template,) = synth(**typed).values()
        return {
            name
            for name in FUNCTIONS
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


def test_only_the_function_with_agents_reads_the_secrets_that_mcp_servers_name(
    synth, names, model, model_url
):
    server = {
        "name": "shop",
        "url": "https://shop.example/mcp",
        "headers": {"authorization": {"secret": "shop/token"}},
    }
    template = synth(mcpServers=json.dumps([server]))["chatkit-dev"]
    for function in ("Actions", "Events"):
        told = template.only("AWS::Lambda::Function", f"{function}Function")["Environment"]
        assert "CHATKIT_MCP_SERVERS" not in told["Variables"]
    stage = Stage(template, names, model, model_url)
    for function in ("Actions", "Events"):
        assert "McpKeys" not in {each["Sid"] for each in stage.statements(function)}

    vault = boto3.client("secretsmanager", region_name=REGION)
    vault.create_secret(Name="shop/token", SecretString="Bearer of-the-shop")
    with shop() as (made, address):
        stage.extra["CHATKIT_MCP_SERVERS"] = json.dumps([{**server, "url": address}])
        allowed = stage.role("Chat")
        with stage.running("Chat", allowed) as url:
            Chat(url).create("Hi")
        assert {each["authorization"] for each in made.requests} == {"Bearer of-the-shop"}
        assert allowed.denied == []
        role = stage.role("Chat", without="McpKeys")
        with stage.running("Chat", role) as url:
            Chat(url).create("Hi")
    assert {need.resource for need in role.denied} == {
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/token-aB3dE6"
    }


def test_only_the_function_that_verifies_challenges_reads_turnstiles_secret(
    synth, names, model, model_url
):
    """The stack makes a secret without a value, which `make secret KEY=turnstile` sets."""
    template = synth(turnstileSiteKey="0x4")["chatkit-dev"]
    (made,) = (n for n in template.of_type("AWS::SecretsManager::Secret") if "Turnstile" in n)
    vault = boto3.client("secretsmanager", region_name=REGION)
    own = names | {made: vault.create_secret(Name=made, SecretString=SECRET)["ARN"]}
    (cookie,) = (n for n in template.of_type("AWS::SecretsManager::Secret") if n != made)
    assert cookie in own
    with turnstile() as cloudflare:
        stage = Stage(template, own, model, model_url)
        stage.extra |= {
            "CHATKIT_TURNSTILE_VERIFY_URL": cloudflare.verify_url,
            "CHATKIT_BEHIND_CLOUDFRONT": "false",
        }

        def enter(role):
            body = {"challenge": cloudflare.token(hostname="127.0.0.1")}
            with stage.running("Chat", role) as url:
                return Chat(url).http.post("/chatkit/session", json=body).status_code

        allowed = stage.role("Chat")
        assert enter(allowed) == 200
        assert allowed.denied == []
        denied = stage.role("Chat", without="TurnstileKey")
        assert enter(denied) == 424
        assert {need.resource for need in denied.denied} == {own[made]}
    statements = {s["Sid"] for s in stage.statements("Actions")}
    assert "CookieKey" in statements
    assert "TurnstileKey" not in statements


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_statement_is_wider_than_the_stacks_own_things(stage, function):
    for statement in stage.statements(function):
        if statement["Action"] == "dynamodb:ListStreams":
            continue  # IAM cannot limit it to a resource
        for resource in as_list(statement["Resource"]):
            assert resource != "*", statement
            assert not resource.endswith((":*", ":table/*", ":::*")), statement
        for action in as_list(statement["Action"]):
            assert "*" not in action, statement
