"""Other websites that the browser has open get nothing from the servers of `make dev`."""

import socket

import httpx2
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.responses import PlainTextResponse

from functions.aws.clients import client
from infra.local.hosts import OwnHosts
from tests.support.cloud import own_cloud
from tests.support.served import served

OTHER = "https://other.example"
PAGE = "http://127.0.0.1:8001"


@pytest.fixture
def cloud(monkeypatch):
    with own_cloud(monkeypatch, page_port=PAGE.rpartition(":")[2]) as variables:
        yield variables


def scan(cloud, key_id, **headers):
    request = AWSRequest(
        "POST",
        cloud["AWS_ENDPOINT_URL"],
        data=f'{{"TableName": "{cloud["CHATKIT_TABLE"]}"}}',
        headers={
            "x-amz-target": "DynamoDB_20120810.Scan",
            "content-type": "application/x-amz-json-1.0",
        },
    )
    SigV4Auth(Credentials(key_id, "local"), "dynamodb", "us-east-1").add_auth(request)
    return httpx2.post(request.url, content=request.body, headers={**request.headers, **headers})


def list_vector_buckets(cloud, **headers):
    """Signed with the key that each link names. moto does not verify signatures."""
    request = AWSRequest("POST", f"{cloud['AWS_ENDPOINT_URL']}/ListVectorBuckets", data="{}")
    key = Credentials(cloud["AWS_ACCESS_KEY_ID"], "guessed")
    SigV4Auth(key, "s3vectors", "us-east-1").add_auth(request)
    return httpx2.post(request.url, content=request.body, headers={**request.headers, **headers})


def test_moto_answers_the_key_of_this_run_and_no_other(cloud):
    assert scan(cloud, cloud["AWS_ACCESS_KEY_ID"]).status_code == 200
    for other in ("testing", "local", cloud["AWS_ACCESS_KEY_ID"][:-1]):
        assert scan(cloud, other).status_code == 403
    unsigned = {"x-amz-target": "DynamoDB_20120810.ListTables"}
    assert httpx2.post(cloud["AWS_ENDPOINT_URL"], json={}, headers=unsigned).status_code == 403
    for path in ("/moto-api/", f"/{cloud['CHATKIT_ATTACHMENTS_BUCKET']}?list-type=2"):
        assert httpx2.get(cloud["AWS_ENDPOINT_URL"] + path).status_code == 403


@pytest.mark.parametrize("origin", [OTHER, "null", "http://127.0.0.1:8000"])
def test_moto_answers_no_browser(cloud, origin):
    answer = scan(cloud, cloud["AWS_ACCESS_KEY_ID"], origin=origin)
    assert answer.status_code == 403
    bucket, s3 = cloud["CHATKIT_ATTACHMENTS_BUCKET"], client("s3")
    link = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert httpx2.put(link, content=b"x", headers={"origin": origin}).status_code == 403
    assert httpx2.put(link, content=b"x").status_code == 200


def test_the_page_of_make_lambda_may_follow_signed_links_and_do_nothing_else(cloud):
    bucket, s3 = cloud["CHATKIT_ATTACHMENTS_BUCKET"], client("s3")
    link = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "page"})
    asked = {"origin": PAGE, "access-control-request-method": "PUT"}
    allowed = httpx2.options(link, headers=asked).headers
    assert allowed["access-control-allow-origin"] in {"*", PAGE}
    assert allowed["access-control-allow-headers"] == "content-type, if-none-match"
    assert httpx2.put(link, content=b"x", headers={"origin": PAGE}).status_code == 200
    assert httpx2.put(link, content=b"x", headers={"origin": OTHER}).status_code == 403
    plain = f"{cloud['AWS_ENDPOINT_URL']}/{bucket}/page"
    assert httpx2.get(plain, headers={"origin": PAGE}).status_code == 403
    assert scan(cloud, cloud["AWS_ACCESS_KEY_ID"], origin=PAGE).status_code == 403
    assert list_vector_buckets(cloud).status_code == 200
    assert list_vector_buckets(cloud, origin=PAGE).status_code == 403


def test_the_key_differs_from_process_to_process(cloud):
    assert len(cloud["AWS_ACCESS_KEY_ID"]) >= 20
    assert cloud["AWS_ACCESS_KEY_ID"] not in {"local", "testing"}


async def ok(scope, receive, send):
    await PlainTextResponse("ok")(scope, receive, send)


NAME = socket.gethostname()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("192.168.1.20", 200),
        ("[::1]:8000", 200),
        ("localhost:5173", 200),
        ("chat.localhost:8000", 200),
        (NAME, 200),
        (f"{NAME.partition('.')[0]}.local:8000", 200),
        (NAME.upper(), 200),
        ("tunnel.example", 200),
        ("other.example", 403),
        ("localhost.other.example", 403),
        ("127.0.0.1.other.example", 403),
        ("tunnel.example.other.example:8000", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_make_dev_answers_only_to_names_of_this_machine(host, status):
    with served(OwnHosts(ok, ["https://tunnel.example"])) as url:
        answer = httpx2.get(url, headers={"host": host})
    assert answer.status_code == status
    if status == 403:
        assert "CHATKIT_ALLOWED_ORIGINS" in answer.json()["message"]
