"""make export-user, delete-user and find-user: what they write, ask, delete and find."""

import asyncio
import io
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from chatkit.types import AttachmentCreateParams, GeneratedImage, GeneratedImageItem
from moto import mock_aws

from functions.attachments import S3AttachmentStore, create_bucket
from functions.aws.keys import digest
from functions.context import RequestContext
from functions.limit_table import LimitTable
from functions.limits import Limits, Use
from functions.store import DynamoDBStore, Records, Runs, Sessions, create_table, keys
from functions.web.identity.anonymous import COOKIE, new_user
from functions.web.identity.person import owner_id
from infra.cli import command, delete_user, find_user
from infra.cli.account import Account
from infra.cli.find_user import Issuer
from infra.cli.people import PeopleError, Place, of_make_dev
from infra.stack.context import read_settings
from tests.store.samples import NOON, answer, message, run_record, thread
from tests.support.cloud import own_cloud

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
SETTINGS = read_settings({"region": REGION})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
ADA = RequestContext(user_id="anon_0199b2c0d3e4aaaaaaaaaaaaaaaaaaaa")
BOB = RequestContext(user_id="anon_0199b2c0d3e4bbbbbbbbbbbbbbbbbbbb")
SECRET = f"files/{digest(BOB.user_id)}/secret"
HOSTILE = "<script>alert(1)</script> & so on"


async def live_here(place, context):
    """A person with one of everything."""
    store, files = place.store, S3AttachmentStore(place.bucket)
    await store.save_thread(thread(title=HOSTILE), context)
    given = AttachmentCreateParams(name="../my cat.txt", size=5, mime_type="text/plain")
    file = await files.create_attachment(given, context)
    await store.save_attachment(file, context)
    place.client("s3").put_object(
        Bucket=place.bucket_name, Key=files.key(file, context), Body=b"meow!"
    )
    file = (await store.load_attachment(file.id, context)).model_copy(update={"thread_id": "thr_1"})
    await store.save_attachment(file, context)
    drawn = await files.put_image("thr_1", "img", PNG, context)
    theirs = f"{place.bucket_name}/{SECRET}?X-Amz-Signature=1"
    for item in (
        message("asked", HOSTILE, attachments=[file]),
        answer("told", f"https://s3.example/{theirs}"),
        GeneratedImageItem(
            id="drawn",
            thread_id="thr_1",
            created_at=NOON,
            image=GeneratedImage(id="img", url=drawn),
        ),
        GeneratedImageItem(
            id="foreign",
            thread_id="thr_1",
            created_at=NOON,
            image=GeneratedImage(id="img", url=f"https://s3.example/{theirs}"),
        ),
    ):
        await store.add_thread_item("thr_1", item, context)
    await store.save_feedback("thr_1", ["told"], "positive", context)
    place.client("s3").put_object(Bucket=place.bucket_name, Key=SECRET, Body=b"secret")
    link = f"https://s3.example/{theirs}"
    await Records(place.table).put("notes", {"url": link}, context, version=0)
    await Records(place.table).of_thread("thr_1").put("approval", {"a": 1}, context, version=0)
    await Runs(place.table).keep_record(run_record(), context)
    limits = LimitTable.model_validate({"person": {"messages_per_day": 9}})
    await Limits(limits, place.table).spend(context, Use(messages=1))


def rows(place):
    scan = place.client("dynamodb").get_paginator("scan").paginate(TableName=place.table_name)
    return {(row["pk"]["S"], row["sk"]["S"]) for page in scan for row in page["Items"]}


def objects(place):
    found = place.client("s3").list_objects_v2(Bucket=place.bucket_name).get("Contents", [])
    return {entry["Key"] for entry in found}


@pytest.fixture
def dev(monkeypatch, tmp_path):
    """The make dev that runs on port 8000, where Ada and Bob are."""
    monkeypatch.delenv("PORT", raising=False)
    with own_cloud(monkeypatch) as variables:
        monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path / ".local"))
        (tmp_path / ".local").mkdir()
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (tmp_path / ".local" / "8000.env").write_text("".join(lines))
        place = of_make_dev("find-user")
        asyncio.run(live_here(place, ADA))
        asyncio.run(place.store.save_thread(thread(), BOB))
        yield place


@pytest.fixture
def typed(monkeypatch):
    def run(*words, says=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(says))
        monkeypatch.setattr("sys.argv", ["command", *words])
        command.main()

    return run


def test_an_export_is_a_folder_with_everything_that_a_person_can_read(dev, typed, tmp_path, capsys):
    out = tmp_path / "exports" / "ada"
    typed("export-user", "--user", ADA.user_id, "--out", str(out))
    said = capsys.readouterr().out
    assert "Conversations 1/1" in said
    assert "1 conversations, 4 messages and other items, 2 files." in said
    assert out.stat().st_mode & 0o077 == 0

    person = json.loads((out / "person.json").read_text())
    assert person["user"] == ADA.user_id
    # A link that somebody has written is no way to another person's file.
    (notes,) = [record["value"] for record in person["records"]]
    assert notes["url"] == f"https://s3.example/{dev.bucket_name}/{SECRET}?X-Amz-Signature=1"
    assert list(person["counters"][0].values()) == [1]
    conversation = json.loads((out / person["conversations"][0]["file"]).read_text())
    assert [record["kind"] for record in conversation["records"]] == ["approval"]
    assert [run["run_id"] for run in conversation["runs"]] == ["run_1"]
    assert [mark["kind"] for mark in conversation["feedback"]] == ["positive"]
    items = {item["id"]: item for item in conversation["items"]}
    sent = items["asked"]["attachments"][0]["file"]
    assert (out / sent).read_bytes() == b"meow!"
    assert sent.endswith("-my_cat.txt")
    assert (out / items["drawn"]["image"]["url"]).read_bytes() == PNG
    assert items["foreign"]["image"]["url"] == f"s3://{dev.bucket_name}/{SECRET}"
    assert sorted(person["files"]) == sorted(f"files/{p.name}" for p in out.glob("files/*"))

    index = (out / "index.html").read_text()
    page = (out / person["conversations"][0]["page"]).read_text()
    for text in (index, page):
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert '<html lang="en">' in text
    for link in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert (out / "conversations" / link).exists(), link
    for link in re.findall(r'(?:href|src)="([^"]+)"', index):
        assert (out / link).exists(), link
    assert '<img src="../files/' in page


def test_an_export_replaces_one_of_the_same_person_and_no_other_folder(
    dev, typed, tmp_path, capsys
):
    out = tmp_path / "out"
    typed("export-user", "--user", ADA.user_id, "--out", str(out))
    (out / "files" / "older").write_text("x")
    typed("export-user", "--user", ADA.user_id, "--out", str(out))
    assert not (out / "files" / "older").exists()
    for user, folder in ((BOB.user_id, out), (ADA.user_id, tmp_path / ".local")):
        before = sorted(folder.rglob("*"))
        with pytest.raises(SystemExit, match="is no export of this person: name another OUT"):
            typed("export-user", "--user", user, "--out", str(folder))
        assert sorted(folder.rglob("*")) == before
    with pytest.raises(SystemExit, match="Nothing of anon_x is stored in make dev on port 8000"):
        typed("export-user", "--user", "anon_x", "--out", str(tmp_path / "nobody"))
    assert not [path for path in tmp_path.iterdir() if path.name not in {"out", ".local"}]


def test_a_deletion_shows_what_goes_asks_and_proves_that_it_is_gone(dev, typed, capsys):
    hers = {row for row in rows(dev) if ADA.user_id in row[0]}
    with pytest.raises(SystemExit, match="Nothing is deleted"):
        typed("delete-user", "--user", ADA.user_id, says="no\n")
    said = capsys.readouterr().out
    for line in ("1  conversations", "4  messages", "3  files (118 bytes)", "2  records of the"):
        assert line in said
    assert hers <= rows(dev)

    others = rows(dev) - hers
    typed("delete-user", "--user", ADA.user_id, says="yes\n")
    said = capsys.readouterr().out
    assert "Deleting conversations 1/1" in said
    assert "3 partitions of the table and 5 folders were read again: nothing of it is left" in said
    assert "marks of deleted conversations" in said
    assert "otherwise deleting oneself would reset limits" in said
    kinds = {sort for _, sort in rows(dev) - others}
    assert kinds == {keys.TOMBSTONE, keys.COUNTERS}
    assert others <= rows(dev)
    assert {key.split("/")[1] for key in objects(dev)} == {digest(BOB.user_id)}

    typed("delete-user", "--user", ADA.user_id, "--yes")
    assert "Nothing is stored" in capsys.readouterr().out


def test_what_is_written_again_meanwhile_is_said_and_is_no_success(dev, typed, monkeypatch):
    delete = DynamoDBStore.delete_user

    async def and_then_a_tool_writes(store, user):
        await delete(store, user)
        await Records(store.table).put("notes", ["late"], ADA, version=0)

    monkeypatch.setattr(DynamoDBStore, "delete_user", and_then_a_tool_writes)
    with pytest.raises(SystemExit, match="Type the command again"):
        typed("delete-user", "--user", ADA.user_id, "--yes")


def test_a_deletion_waits_until_no_line_of_the_report_names_a_conversation(
    dev, monkeypatch, capsys
):
    month = f"{datetime.now(UTC):%Y-%m}"
    line = keys.key(f"S#{month}", "QUESTION#now#digest")
    other = keys.key(f"S#{month}", "QUESTION#now#other")
    for row, name in ((line, "thr_1"), (other, "thr_of_somebody")):
        asyncio.run(dev.table.put({**row, "thread": {"S": name}}))
    waited = []

    def stream_arrives(seconds):
        waited.append(seconds)
        asyncio.run(dev.table.delete(line))

    delete_user.delete(dev, ADA.user_id, sure=True, wait=stream_arrives)
    assert "nothing of it is left" in capsys.readouterr().out
    assert len(waited) == 1

    asyncio.run(dev.table.put({**line, "thread": {"S": "thr_1"}}))
    monkeypatch.setattr(delete_user, "WAIT_SECONDS", 0)
    with pytest.raises(PeopleError, match="Type the command again"):
        delete_user.delete(dev, BOB.user_id, sure=True, wait=pytest.fail)
    assert "1  lines of the report" in capsys.readouterr().out


def test_a_person_is_found_by_their_id_and_never_by_a_token(dev, typed, capsys):
    typed("find-user", "--query", ADA.user_id)
    said = capsys.readouterr().out
    assert said.startswith(f"USER={ADA.user_id}  1 conversations, last activity 20")
    with pytest.raises(SystemExit, match="Visitors are anonymous there"):
        typed("find-user", "--query", "ada@example.com")
    token = new_user(["k" * 32], COOKIE).token
    for words in (("find-user", "--query"), ("delete-user", "--yes", "--user")):
        for secret in (token, "eyJhbGciOi.eyJzdWIi.c2ln"):
            with pytest.raises(SystemExit, match="This is a token") as said:
                typed(*words, secret)
            assert secret not in str(said.value)


def test_the_variable_user_of_a_shell_names_nobody():
    """make is asked what it would run, so nothing is set up."""
    for words, user in ((["USER=typed"], "typed"), ([], "")):
        done = subprocess.run(
            ["make", "--dry-run", "delete-user", *words],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "USER": "of-the-shell"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f'--user "{user}"' in done.stdout


def test_without_a_person_or_a_folder_the_command_says_what_to_type(typed, tmp_path):
    with pytest.raises(SystemExit, match="Name the person in the command itself"):
        typed("export-user", "--user", "", "--out", "x")
    with pytest.raises(SystemExit, match="OUT=folder"):
        typed("export-user", "--user", "anon_x", "--out", "")


@pytest.fixture
def stage(monkeypatch):
    """A stage in moto, whose bucket keeps versions and whose table has point-in-time recovery."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        create_table(boto3.client("dynamodb"), "conversations")
        create_bucket(boto3.client("s3"), "files-of-people")
        boto3.client("s3").put_bucket_versioning(
            Bucket="files-of-people", VersioningConfiguration={"Status": "Enabled"}
        )
        boto3.client("dynamodb").update_continuous_backups(
            TableName="conversations",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        outputs = {"TableName": "conversations", "FilesBucketName": "files-of-people"}
        body = {
            "Resources": {"Q": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        boto3.client("cloudformation").create_stack(
            StackName="chatkit-dev", TemplateBody=json.dumps(body)
        )
        yield Place("the stage dev", boto3.client, "conversations", "files-of-people", "dev")


def test_in_a_stage_all_versions_of_the_files_go_and_what_a_restore_can_do_is_said(stage, capsys):
    asyncio.run(live_here(stage, ADA))
    asyncio.run(Sessions(stage.table).end_all(ADA))
    file = next(key for key in objects(stage) if key.startswith("files/") and key != SECRET)
    boto3.client("s3").delete_object(Bucket="files-of-people", Key=file)
    command.run("delete-user", ["--user", ADA.user_id, "--yes"], SETTINGS, Account(SETTINGS))
    said = capsys.readouterr().out
    assert "versions of these files" in said
    assert "nothing of it is left" in said
    assert "A restore of the table can still bring it back for 35 days" in said
    assert "when the person signed out everywhere, for 401 days" in said
    found = boto3.client("s3").list_object_versions(Bucket="files-of-people")
    left = [*found["Versions"], *found.get("DeleteMarkers", [])]
    assert {each["Key"] for each in left} == {SECRET}


@pytest.fixture
def pool(stage):
    """The stage's user pool, with Ada in the tenant acme."""
    client = boto3.client("cognito-idp")
    made = client.create_user_pool(PoolName="people", UsernameAttributes=["email"])
    pool = made["UserPool"]["Id"]
    attributes = {"email": "ada@example.com", "name": "Ada Byron", "custom:tenant": "acme"}
    client.add_custom_attributes(
        UserPoolId=pool, CustomAttributes=[{"Name": "tenant", "AttributeDataType": "String"}]
    )
    client.admin_create_user(
        UserPoolId=pool,
        Username="ada@example.com",
        UserAttributes=[{"Name": n, "Value": v} for n, v in attributes.items()],
    )
    return pool


ISSUER = "https://issuer.example"


@pytest.mark.parametrize("query", ["ada@", "Ada", "ada@example.com"])
def test_where_the_stage_has_a_user_pool_people_are_found_by_address_and_name(
    stage, pool, query, capsys
):
    (person,) = boto3.client("cognito-idp").list_users(UserPoolId=pool)["Users"]
    sub = next(each["Value"] for each in person["Attributes"] if each["Name"] == "sub")
    user = owner_id(ISSUER, sub, "acme")
    asyncio.run(stage.store.save_thread(thread(), RequestContext(user_id=user)))
    find_user.find(stage, query, Issuer(ISSUER, "sub", "custom:tenant", pool), None)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"USER={user}  1 conversations, last activity ")
    assert line.endswith("Ada Byron ada@example.com")


def test_a_quote_in_what_is_searched_for_is_a_part_of_it(stage, pool):
    with pytest.raises(PeopleError, match="has nothing of"):
        find_user.find(stage, '" or "', Issuer(ISSUER, "sub", None, pool), None)


def test_at_another_issuer_people_are_found_by_their_id_there(stage, capsys):
    user = owner_id(ISSUER, "ada", "acme")
    asyncio.run(stage.store.save_thread(thread(), RequestContext(user_id=user)))
    issuer = Issuer.of(
        {
            "CHATKIT_AUTH": "oidc",
            "CHATKIT_OIDC_ISSUER": ISSUER,
            "CHATKIT_OIDC_TENANT_CLAIM": "org_id",
        }
    )
    with pytest.raises(
        PeopleError,
        match=r"look the person up at issuer\.example, and search for their sub, "
        r"with TENANT= \(their org_id\)",
    ):
        find_user.find(stage, "ada", issuer, None)
    find_user.find(stage, "ada", issuer, "acme")
    assert capsys.readouterr().out.startswith(f"USER={user}  1 conversations")


def test_in_a_stage_the_issuer_is_the_one_that_it_was_deployed_with(stage, capsys):
    """And not the one that the settings of this folder name now."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    principal = {"Principal": {"Service": "lambda.amazonaws.com"}}
    role = boto3.client("iam").create_role(
        RoleName="of-a-function",
        AssumeRolePolicyDocument=json.dumps({"Statement": [trust | principal]}),
    )["Role"]["Arn"]
    told = {"CHATKIT_AUTH": "oidc", "CHATKIT_OIDC_ISSUER": ISSUER}
    function = {
        "FunctionName": "chat",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": role,
        "Code": {"ZipFile": "pass"},
        "Environment": {"Variables": told},
    }
    outputs = {"TableName": stage.table_name, "FilesBucketName": stage.bucket_name}
    body = {
        "Resources": {"Chat": {"Type": "AWS::Lambda::Function", "Properties": function}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(
        StackName="chatkit-qa", TemplateBody=json.dumps(body)
    )
    user = owner_id(ISSUER, "ada", None)
    asyncio.run(stage.store.save_thread(thread(), RequestContext(user_id=user)))
    settings = read_settings({"stage": "qa", "region": REGION})
    command.run("find-user", ["--query", "ada"], settings, Account(settings))
    assert capsys.readouterr().out.startswith(f"USER={user}  1 conversations")
