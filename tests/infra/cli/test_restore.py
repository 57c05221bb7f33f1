"""`make restore` and `make restore-drill`, on moto: it copies the table as it is now, at any time.

What moto cannot show is a table of an earlier time, and how long a restore takes.
"""

import io
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from chatkit.types import ThreadMetadata
from moto import mock_aws

from functions.attachments.schema import create_bucket, file_key, spill_prefix
from functions.context import RequestContext
from functions.store import DynamoDBStore, create_table, keys
from functions.store.schema import VERSION
from infra.cli import command, deployment, restore_drill, restored_files
from infra.cli.account import Account
from infra.cli.restore import Clients, Place, restore_stage
from infra.cli.restored_table import described, moment, rows_of
from infra.cli.typed import CommandError
from infra.stack.context import read_settings

TABLE, BUCKET = "chatkit-dev-TableABC", "chatkit-dev-files"
SETTINGS = read_settings({"region": "eu-central-1"})
PLACE = Place("dev", "chatkit-dev", TABLE, BUCKET)
ADA = RequestContext(user_id="ada")
FILE = file_key("ada", "atc_1")
BODY = f"{spill_prefix('ada', 'thr_1', 'msg_1')}x"


class Waits:
    """Notes what would have been waited for."""

    def __init__(self):
        self.seconds = []

    def __call__(self, seconds):
        self.seconds.append(seconds)


@pytest.fixture
def clients(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        made = Clients(boto3.client("dynamodb"), boto3.client("s3"))
        create_table(made.dynamodb, TABLE)
        create_bucket(made.s3, BUCKET)
        made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        made.dynamodb.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        made.dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=True)
        arn = described(made.dynamodb, TABLE)["TableArn"]
        tags = [{"Key": "chatkit:stage", "Value": "dev"}]
        made.dynamodb.tag_resource(ResourceArn=arn, Tags=tags)
        yield made


@pytest.fixture
async def lived_in(clients):
    """A thread with a file and a large body, and a sweep that is half done."""
    store = DynamoDBStore(TABLE, client=clients.dynamodb)
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 2)), ADA)
    for row in (
        {**keys.attachment_key("ada", "atc_1"), "body": {"S": "{}"}},
        {**keys.item_key("ada", "thr_1", "msg_1"), "spill": {"S": BODY}},
        {**keys.key(keys.SWEEP, "PASS"), "body": {"S": "{}"}},
    ):
        clients.dynamodb.put_item(TableName=TABLE, Item=row)
    for key in (FILE, BODY):
        clients.s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), ContentType="text/x")
    return clients


def now(clients):
    """A moment that the table can be restored to: in moto there is one."""
    found = clients.dynamodb.describe_continuous_backups(TableName=TABLE)
    recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return recovery["LatestRestorableDateTime"].astimezone(UTC)


def objects(clients):
    found = clients.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {entry["Key"] for entry in found}


def restored(clients, **options):
    at = now(clients)
    restore_stage(PLACE, clients, at.isoformat(), sure=True, wait=Waits(), **options)
    return PLACE.restored(at)


async def test_the_new_table_is_like_the_first_in_all_that_a_restore_leaves_out(lived_in, capsys):
    target = restored(lived_in)
    client, said = lived_in.dynamodb, capsys.readouterr().out
    first, new = described(client, TABLE), described(client, target)
    for each in ("KeySchema", "StreamSpecification", "DeletionProtectionEnabled"):
        assert new[each] == first[each], each
    assert [i["IndexName"] for i in new["LocalSecondaryIndexes"]] == ["by_position"]
    for describe, where in (
        (client.describe_time_to_live, "TimeToLiveDescription"),
        (client.describe_continuous_backups, "ContinuousBackupsDescription"),
    ):
        ours, theirs = (str(describe(TableName=name)[where]) for name in (TABLE, target))
        assert ("ENABLED" in ours, "DISABLED" in ours) == (
            "ENABLED" in theirs,
            "DISABLED" in theirs,
        )
    tags = [client.list_tags_of_resource(ResourceArn=t["TableArn"])["Tags"] for t in (first, new)]
    assert tags[0] == tags[1] != []
    assert rows_of(client, target, "U#ada") == rows_of(client, TABLE, "U#ada") != []
    assert rows_of(client, target, keys.SWEEP) == []
    assert f"-c restoredTable={target}/stream/{new['LatestStreamLabel']}" in said
    # The setting takes what was printed.
    assert read_settings({"restoredTable": f"{target}/stream/{new['LatestStreamLabel']}"})


async def test_it_can_be_repeated_and_changes_nothing_of_the_first_table(lived_in):
    before = lived_in.dynamodb.scan(TableName=TABLE)["Items"]
    assert restored(lived_in) == restored(lived_in)
    assert lived_in.dynamodb.scan(TableName=TABLE)["Items"] == before


async def test_a_table_that_a_later_version_wrote_is_switched_to_by_no_older_one(lived_in, capsys):
    row = {"pk": {"S": "SCHEMA"}, "sk": {"S": "VERSION"}, "version": {"N": str(VERSION + 1)}}
    lived_in.dynamodb.put_item(TableName=TABLE, Item=row)
    with pytest.raises(CommandError, match="has schema"):
        restored(lived_in)
    assert "restoredTable" not in capsys.readouterr().out


async def test_files_that_were_removed_since_come_back_with_their_types(lived_in):
    s3 = lived_in.s3
    at = s3.head_object(Bucket=BUCKET, Key=FILE)["LastModified"]
    s3.put_object(Bucket=BUCKET, Key="files/f/later", Body=b"x")
    for key in (FILE, "files/f/later"):
        s3.delete_object(Bucket=BUCKET, Key=key)
    named = {FILE, BODY, "files/f/never"}
    wanted = restored_files.plan(s3, BUCKET, named, at)
    assert (wanted.copies.keys(), wanted.missing) == ({FILE}, ["files/f/never"])
    restored_files.bring_back(s3, BUCKET, wanted.copies)
    assert objects(lived_in) == {FILE, BODY}
    back = s3.get_object(Bucket=BUCKET, Key=FILE)
    assert (back["ContentType"], back["Body"].read()) == ("text/x", FILE.encode())
    assert restored_files.plan(s3, BUCKET, named, at).missing == ["files/f/never"]


async def test_what_was_removed_before_that_time_stays_removed(lived_in):
    lived_in.s3.delete_object(Bucket=BUCKET, Key=FILE)
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert restored_files.plan(lived_in.s3, BUCKET, {FILE}, later).copies == {}


async def test_without_versions_it_says_how_many_files_are_gone(clients, lived_in, capsys):
    clients.s3.create_bucket(
        Bucket="unversioned",
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    clients.s3.put_object(Bucket="unversioned", Key=FILE, Body=b"x")
    place = Place("dev", "chatkit-dev", TABLE, "unversioned")
    restore_stage(place, clients, now(clients).isoformat(), sure=True, wait=Waits())
    said = capsys.readouterr().out
    assert "1 are there, 0 can be brought back, and 1 are gone" in said
    assert "fileVersions" in said


async def test_after_the_switch_it_brings_back_files_and_restores_no_table(lived_in, capsys):
    at = now(lived_in)
    target = restored(lived_in)
    switched = Place("dev", "chatkit-dev", target, BUCKET)
    tables = lived_in.dynamodb.list_tables()["TableNames"]
    restore_stage(switched, lived_in, at.isoformat(), sure=True, wait=Waits())
    assert lived_in.dynamodb.list_tables()["TableNames"] == tables
    assert "uses" in capsys.readouterr().out


async def test_who_has_signed_out_since_stays_so_and_who_was_deleted_since_is_named(
    lived_in, capsys, monkeypatch
):
    client = lived_in.dynamodb
    signed_out = {**keys.signed_out_key("ada"), "at": {"N": "2"}}
    make = client.restore_table_to_point_in_time

    def restore(**asked):
        """What happens in the first table after the time that is restored."""
        made = make(**asked)
        client.put_item(TableName=TABLE, Item=signed_out)
        client.delete_item(TableName=TABLE, Key=keys.thread_key("ada", "thr_1"))
        return made

    monkeypatch.setattr(client, "restore_table_to_point_in_time", restore)
    target = restored(lived_in)
    assert client.get_item(TableName=target, Key=keys.signed_out_key("ada"))["Item"] == signed_out
    assert "1 people in it have no conversation now: ada" in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-11-26T02:00"])
def test_a_time_without_a_zone_is_refused(text):
    with pytest.raises(CommandError, match=r"AT=2026-11-26T02:00Z"):
        moment(text)


async def test_a_time_that_cannot_be_restored_is_refused_with_those_that_can(lived_in):
    before = now(lived_in) - timedelta(days=1)
    with pytest.raises(CommandError, match="can be restored to a time from"):
        restore_stage(PLACE, lived_in, before.isoformat(), sure=True, wait=Waits())
    assert lived_in.dynamodb.list_tables()["TableNames"] == [TABLE]


async def test_without_a_yes_nothing_is_made(lived_in, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    with pytest.raises(CommandError, match="Nothing is changed"):
        restore_stage(PLACE, lived_in, now(lived_in).isoformat(), sure=False, wait=Waits())
    assert lived_in.dynamodb.list_tables()["TableNames"] == [TABLE]


def test_point_in_time_recovery_is_turned_on_as_soon_as_aws_allows(clients, monkeypatch):
    from infra.cli import restored_table

    client, waits = clients.dynamodb, Waits()
    allow = client.update_continuous_backups

    def refused(**asked):
        if len(waits.seconds) < 3:
            raise client.exceptions.ContinuousBackupsUnavailableException(
                {"Error": {"Code": "ContinuousBackupsUnavailableException"}}, "Update"
            )
        return allow(**asked)

    monkeypatch.setattr(client, "update_continuous_backups", refused)
    restored_table._recoverable(client, TABLE, waits)
    assert len(waits.seconds) == 3


async def test_a_drill_compares_and_leaves_nothing(lived_in, capsys):
    assert restore_drill.drill(PLACE, lived_in, sure=True, wait=Waits()) is True
    said = capsys.readouterr().out
    assert lived_in.dynamodb.list_tables()["TableNames"] == [TABLE]
    assert "1 threads compared, 0 have changed since" in said
    assert "THREAD                     1            1" in said


async def test_a_drill_says_which_thread_is_not_as_it_was(lived_in, capsys, monkeypatch):
    of = restore_drill.rows_of

    def incomplete(client, table, partition):
        rows = of(client, table, partition)
        return rows if table == TABLE else rows[1:]

    monkeypatch.setattr(restore_drill, "rows_of", incomplete)
    assert restore_drill.drill(PLACE, lived_in, sure=True, wait=Waits()) is False
    assert "DIFFERENT  U#ada#T#thr_1" in capsys.readouterr().out
    assert lived_in.dynamodb.list_tables()["TableNames"] == [TABLE]


async def test_the_commands_find_the_table_and_the_bucket_of_the_stage(lived_in, monkeypatch):
    outputs = {"TableName": TABLE, "FilesBucketName": BUCKET}
    monkeypatch.setattr(deployment, "found_outputs", lambda *_: outputs)
    given = [f"--at={now(lived_in).isoformat()}", "--yes"]
    command.run("restore", given, SETTINGS, Account(SETTINGS))
    command.run("restore-drill", ["--yes"], SETTINGS, Account(SETTINGS))
    made = set(lived_in.dynamodb.list_tables()["TableNames"])
    assert made == {TABLE, PLACE.restored(now(lived_in))}
    with pytest.raises(SystemExit, match="Name a time"):
        command.run("restore", ["--at", "", "--yes"], SETTINGS, Account(SETTINGS))
