"""What the table and the buckets of `make dev` hold is there again the next time."""

import sqlite3
import time
from contextlib import closing, contextmanager

import pytest

from functions.aws.clients import client
from infra.local.cloud import CloudError
from tests.support.cloud import own_cloud

ROW = {
    "pk": {"S": "U#ada"},
    "sk": {"S": "THREAD#1"},
    "position": {"S": "2026"},
    "text": {"S": "ä 😀"},
    "count": {"N": "12345678901234567890.5"},
    "on": {"BOOL": True},
    "off": {"NULL": True},
    "fields": {"M": {"a": {"S": "1"}, "deep": {"M": {"list": {"L": [{"N": "1"}, {"S": ""}]}}}}},
    "names": {"SS": ["a", "b"]},
}


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """`cloud()` is a table and a bucket of another `make dev` with the same file."""

    @contextmanager
    def begin(path=tmp_path / "state.sqlite3", knowledge="true"):
        with own_cloud(monkeypatch, keep_in=path, CHATKIT_KNOWLEDGE=knowledge) as own:
            bucket = own["CHATKIT_ATTACHMENTS_BUCKET"]
            yield Cloud(own["CHATKIT_TABLE"], bucket, own["CHATKIT_VECTOR_BUCKET"])

    return begin


class Cloud:
    def __init__(self, table, bucket, vector_bucket):
        self.table, self.bucket, self.vector_bucket = table, bucket, vector_bucket

    def put(self, **changed):
        client("dynamodb").put_item(TableName=self.table, Item={**ROW, **changed})

    def delete(self, sort):
        key = {"pk": ROW["pk"], "sk": {"S": sort}}
        client("dynamodb").delete_item(TableName=self.table, Key=key)

    def rows(self):
        return {
            row["sk"]["S"]: row for row in client("dynamodb").scan(TableName=self.table)["Items"]
        }

    def write(self, key, body, kind="text/plain", **metadata):
        client("s3").put_object(
            Bucket=self.bucket, Key=key, Body=body, ContentType=kind, Metadata=metadata
        )

    def files(self):
        listed = client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {entry["Key"]: self.read(entry["Key"]) for entry in listed}

    def read(self, key):
        found = client("s3").get_object(Bucket=self.bucket, Key=key)
        return found["ContentType"], found["Body"].read()

    def index(self, name):
        client("s3vectors").create_index(
            vectorBucketName=self.vector_bucket,
            indexName=name,
            dataType="float32",
            dimension=2,
            distanceMetric="cosine",
        )

    def store(self, index, key, *numbers):
        vector = {"key": key, "data": {"float32": numbers}, "metadata": {"roles": ["ä"]}}
        client("s3vectors").put_vectors(
            vectorBucketName=self.vector_bucket, indexName=index, vectors=[vector]
        )

    def vectors(self, index):
        vectors = client("s3vectors").list_vectors(
            vectorBucketName=self.vector_bucket, indexName=index, returnData=True
        )["vectors"]
        return {vector["key"]: vector["data"]["float32"] for vector in vectors}


def sort_key(name):
    return {"sk": {"S": name}}


def test_rows_files_and_vectors_come_back_as_they_were(cloud):
    with cloud() as first:
        first.put()
        first.write("uploads/ä b", b"\x00\xff", "image/png")
        first.write("knowledge/a.md", b"a", roles="staff admin")
        first.index("one")
        first.store("one", "a", 1.0, 0.5)
    with cloud(knowledge="false") as second:
        assert second.rows() == {"THREAD#1": ROW}
        assert second.files() == {
            "uploads/ä b": ("image/png", b"\x00\xff"),
            "knowledge/a.md": ("text/plain", b"a"),
        }
    with cloud() as third:
        found = client("s3").head_object(Bucket=third.bucket, Key="knowledge/a.md")
        assert found["Metadata"] == {"roles": "staff admin"}
        assert third.vectors("one") == {"a": [1.0, 0.5]}


def test_what_is_restored_is_no_change_that_the_tables_stream_tells(cloud):
    """Or it would be counted and published again at each start."""
    with cloud() as first:
        first.put()
    with cloud() as second:
        streams = client("dynamodbstreams")
        described = client("dynamodb").describe_table(TableName=second.table)
        arn = described["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        assert streams.get_records(ShardIterator=iterator)["Records"] == []
        second.put(text={"S": "new"})
        page = streams.get_records(ShardIterator=iterator)
        assert [record["eventName"] for record in page["Records"]] == ["MODIFY"]


def test_what_was_changed_or_deleted_in_a_later_run_stays_so(cloud):
    with cloud() as first:
        first.put()
        first.put(**sort_key("gone"))
        first.write("changed", b"1")
        first.write("gone", b"1")
        first.index("one")
        first.store("one", "a", 1.0, 0.5)
    with cloud() as second:
        second.store("one", "a", 0.5, 1.0)
        second.store("one", "b", 0.5, 1.0)
        second.put(text={"S": "new"})
        second.delete("gone")
        second.write("changed", b"2")
        client("s3").delete_object(Bucket=second.bucket, Key="gone")
    with cloud() as third:
        assert third.rows() == {"THREAD#1": {**ROW, "text": {"S": "new"}}}
        assert third.files() == {"changed": ("text/plain", b"2")}
        assert third.vectors("one") == {"a": [0.5, 1.0], "b": [0.5, 1.0]}


def test_a_refused_transaction_leaves_nothing_behind(cloud):
    with cloud() as first:
        table = client("dynamodb")
        with pytest.raises(table.exceptions.TransactionCanceledException):
            table.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": first.table, "Item": ROW}},
                    {
                        "ConditionCheck": {
                            "TableName": first.table,
                            "Key": {"pk": ROW["pk"], "sk": {"S": "none"}},
                            "ConditionExpression": "attribute_exists(pk)",
                        }
                    },
                ]
            )
        first.put(**sort_key("kept"))
    with cloud() as second:
        assert second.rows().keys() == {"kept"}


def test_what_is_written_is_in_the_file_before_the_end(cloud, tmp_path):
    def saved():
        with sqlite3.connect(tmp_path / "state.sqlite3") as file:
            return file.execute(
                "SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM files)"
            ).fetchone()

    with cloud() as first:
        first.put()
        first.write("file", b"1")
        deadline = time.monotonic() + 30
        while saved() != (1, 1):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_file_of_a_version_with_fewer_tables_is_read(cloud, tmp_path):
    with cloud() as first:
        first.put()
        first.write("a", b"1")
    for table in ("vectors", "vector_indexes", "file_metadata"):
        sqlite3.connect(tmp_path / "state.sqlite3").executescript(f"DROP TABLE {table}")
    with cloud() as second:
        assert second.rows() == {"THREAD#1": ROW}
        assert second.files() == {"a": ("text/plain", b"1")}


def test_a_row_whose_time_has_passed_is_gone_as_in_aws(cloud):
    with cloud() as first:
        first.put(**sort_key("old"), expires={"N": "1000"})
        first.put(**sort_key("new"), expires={"N": str(int(time.time()) + 1000)})
    for _ in range(2):
        with cloud() as later:
            assert later.rows().keys() == {"new"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b"this is no database, and it never was one" * 100),
        lambda file: file.write_bytes(file.read_bytes()[:5_000] + b"\0" * 3_000),
        lambda file: sqlite3.connect(file).executescript("PRAGMA user_version = 99"),
        lambda file: sqlite3.connect(file).executescript("UPDATE rows SET row = '{'"),
        lambda file: sqlite3.connect(file).executescript("UPDATE rows SET row = '{\"a\": 1}'"),
        lambda file: sqlite3.connect(file).executescript("DROP TABLE files"),
    ],
    ids=["no database", "torn", "newer", "no JSON", "other rows", "other tables"],
)
def test_a_broken_file_is_put_aside_and_said_and_the_run_begins_anew(
    cloud, tmp_path, damage, capsys
):
    with cloud() as first:
        for number in range(100):
            first.put(**sort_key(str(number)))
    damage(tmp_path / "state.sqlite3")
    broken = (tmp_path / "state.sqlite3").read_bytes()
    with cloud() as second:
        assert second.rows() == {}
        second.put()
    (aside,) = tmp_path.glob("state.broken-*.sqlite3")
    assert aside.read_bytes() == broken
    assert aside.name in capsys.readouterr().out
    with cloud() as third:
        assert third.rows() == {"THREAD#1": ROW}


def test_a_disk_that_is_full_is_said_once_and_nothing_else_fails(cloud, tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    with cloud(folder / "state.sqlite3") as first:
        (folder / "state.sqlite3").unlink()
        folder.rmdir()
        first.put()
        assert first.rows() == {"THREAD#1": ROW}
    assert capsys.readouterr().out.count("conversations are not saved") == 1


def test_a_file_that_could_not_be_saved_is_saved_as_soon_as_it_can_be(cloud, tmp_path, capsys):
    folder, away = tmp_path / "folder", tmp_path / "away"
    folder.mkdir()
    with cloud(folder / "state.sqlite3") as first:
        folder.rename(away)
        first.write("file", b"1")
        deadline = time.monotonic() + 30
        while "conversations are not saved" not in capsys.readouterr().out:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        away.rename(folder)
    with cloud(folder / "state.sqlite3") as second:
        assert second.files() == {"file": ("text/plain", b"1")}


def test_a_file_that_is_only_locked_is_left_as_it_is(cloud, tmp_path):
    with cloud() as first:
        first.put()
    path = tmp_path / "state.sqlite3"
    before = path.read_bytes()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CloudError, match="unchanged"), cloud():
            pass
    assert path.read_bytes() == before
    with cloud() as later:
        assert later.rows() == {"THREAD#1": ROW}
