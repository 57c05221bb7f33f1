"""The table on this machine keeps what it is given, as the one in AWS does."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto.server import ThreadedMotoServer

from functions.aws.clients import client
from tests.support.cloud import own_cloud

TABLE = "kept"


def named(name):
    return {"CHATKIT_TABLE": name, "CHATKIT_ATTACHMENTS_BUCKET": name}


@pytest.fixture
def table(monkeypatch):
    with own_cloud(monkeypatch, **named(TABLE)):
        yield client("dynamodb")
        # moto keeps them for as long as the process lives
        client("dynamodb").delete_table(TableName=TABLE)
        client("s3").delete_bucket(Bucket=TABLE)


def test_a_transaction_that_fails_takes_nothing_with_it_that_others_wrote(table):
    def refused():
        with pytest.raises(table.exceptions.TransactionCanceledException):
            table.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": TABLE,
                            "Item": row("never"),
                            "ConditionExpression": "attribute_exists(pk)",
                        }
                    }
                ]
            )

    def written(number):
        table.put_item(TableName=TABLE, Item=row(str(number)))

    for number in range(300):  # so that there is something to put back
        written(number)
    asked = []
    with ThreadPoolExecutor() as threads:
        for number in range(300, 400):
            asked += [threads.submit(refused), threads.submit(written, number)]
    for each in asked:
        each.result()
    assert table.scan(TableName=TABLE, Select="COUNT")["Count"] == 400


def test_a_transaction_that_fails_changes_no_row_and_the_stream_goes_on_without_it(table):
    streams = client("dynamodbstreams")
    stream = table.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    told = streams.get_shard_iterator(
        StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    for name in ("changed", "deleted"):
        table.put_item(TableName=TABLE, Item={**row(name), "fields": {"M": {"a": {"S": "1"}}}})
    before = table.scan(TableName=TABLE)["Items"]
    of = {"TableName": TABLE}
    change = {
        "UpdateExpression": "SET #f.a = :two",
        "ExpressionAttributeNames": {"#f": "fields"},
        "ExpressionAttributeValues": {":two": {"S": "2"}},
    }
    with pytest.raises(table.exceptions.TransactionCanceledException):
        table.transact_write_items(
            TransactItems=[
                {"Update": {**of, "Key": row("changed"), **change}},
                {"Delete": {**of, "Key": row("deleted")}},
                {"Put": {**of, "Item": row("new")}},
                {
                    "ConditionCheck": {
                        **of,
                        "Key": row("missing"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    assert table.scan(TableName=TABLE)["Items"] == before
    table.put_item(TableName=TABLE, Item=row("later"))
    records = streams.get_records(ShardIterator=told)["Records"]
    assert [each["dynamodb"]["Keys"]["sk"]["S"] for each in records] == [
        "changed",
        "deleted",
        "later",
    ]


def test_a_table_and_a_bucket_that_a_lost_attempt_has_made_are_used(monkeypatch):
    """botocore sends a request again when its answer takes longer than the timeout."""
    for _ in ("made", "made again"):
        with own_cloud(monkeypatch, **named("twice")):
            assert client("dynamodb").scan(TableName="twice")["Items"] == []
            assert "Contents" not in client("s3").list_objects_v2(Bucket="twice")


def row(name):
    return {"pk": {"S": "rows"}, "sk": {"S": name}}


@pytest.fixture
def own():
    """The variable that leads to a server of one's own."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    server.stop()


def test_a_server_of_ones_own_that_lasts_has_it_all_the_second_time(monkeypatch, own, tmp_path):
    def used():
        return own_cloud(monkeypatch, keep_in=tmp_path / "state", **own, **named("lasts"))

    with used():
        client("dynamodb").put_item(TableName="lasts", Item=row("a"))
        client("s3").put_object(Bucket="lasts", Key="b", Body=b"a note")
    with used():
        assert client("dynamodb").scan(TableName="lasts")["Items"] == [row("a")]
        assert client("s3").get_object(Bucket="lasts", Key="b")["Body"].read() == b"a note"


def test_an_endpoint_of_ones_own_gets_the_same_key_each_time(monkeypatch, own):
    """DynamoDB Local has a database for each access key id."""
    with own_cloud(monkeypatch, **own) as variables:
        assert variables["AWS_ACCESS_KEY_ID"] == "local"
    own |= {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine, too"}
    with own_cloud(monkeypatch, **own):
        assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
