"""The template is executable: made in moto, its functions started as it says, and talked to."""

import asyncio
import hashlib
import io
import json
import zipfile
from contextlib import AsyncExitStack, asynccontextmanager

import boto3
import httpx2
import pytest
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMPolicyStatement
from moto.server import ThreadedMotoServer

from functions.web.viewer import HOST_HEADER
from infra.cli.smoke import SmokeError, smoke
from infra.emulator import project
from infra.emulator.edge import Edge
from infra.emulator.environment import Configuration
from infra.emulator.events import deliver
from infra.emulator.function import Function
from infra.emulator.function_url import DOMAIN, FunctionUrl
from infra.emulator.server import Server
from tests.infra.stack.variants import references

REGION = "us-east-1"
ACCOUNT = "123456789012"
# The types of the template that moto's CloudFormation can make (moto 5.2).
MADE_BY_MOTO = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}
# moto's names of actions, and AWS's.
MOTO_ACTIONS = {
    "dynamodb:TransactWriteItems": "dynamodb:UpdateItem",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:ListObjectsV2": "s3:ListBucket",
}


def creatable(template, secrets):
    """The part of a template that moto can make, with the ARNs of its secrets."""

    def known(value):
        if isinstance(value, dict):
            if value.get("Ref") in secrets:
                return secrets[value["Ref"]]
            return {key: known(inner) for key, inner in value.items()}
        return [known(inner) for inner in value] if isinstance(value, list) else value

    kept = {
        name: known(resource)
        for name, resource in template.resources.items()
        if resource["Type"] in MADE_BY_MOTO
    }
    while missing := [
        name
        for name, resource in kept.items()
        if set(references(resource.get("Properties", {}))) & (set(template.resources) - set(kept))
    ]:
        for name in missing:
            del kept[name]
    for resource in kept.values():
        after = resource.get("DependsOn", [])
        after = [after] if isinstance(after, str) else after
        resource["DependsOn"] = [name for name in after if name in kept]
    return {"Resources": kept}


class Account:
    """moto as an account that the template was deployed to."""

    def __init__(self, endpoint, template):
        self.endpoint = endpoint
        self.template = template
        secrets = {
            name: self.client("secretsmanager").create_secret(Name=name, SecretString="k" * 64)[
                "ARN"
            ]
            for name in template.of_type("AWS::SecretsManager::Secret")
        }
        self._upload_assets()
        body = creatable(template, secrets)
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps(body))
        stack = cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        found = cloudformation.describe_stack_resources(StackName="stack")["StackResources"]
        self.made = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}
        self.asked = body["Resources"]

    def client(self, service):
        return boto3.session.Session().client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="admin",
            aws_secret_access_key="admin",
        )

    def _upload_assets(self):
        s3 = self.client("s3")
        bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
        s3.create_bucket(Bucket=bucket)
        nothing = io.BytesIO()
        zipfile.ZipFile(nothing, "w").close()
        for function in self.template.of_type("AWS::Lambda::Function").values():
            if key := function["Properties"]["Code"].get("S3Key"):
                s3.put_object(Bucket=bucket, Key=key, Body=nothing.getvalue())

    def physical(self, prefix):
        return next(made for name, made in self.made.items() if name.startswith(prefix))

    def configuration(self, function):
        """The emulator's configuration of the function that moto made."""
        name = self.physical(f"{function}Function")
        made = self.client("lambda").get_function_configuration(FunctionName=name)
        variables = made["Environment"]["Variables"]
        role = self.client("sts").assume_role(RoleArn=made["Role"], RoleSessionName="lambda")
        given = role["Credentials"]
        bundle = project.bundle("chat" if function == "Chat" else "actions")
        return Configuration(
            name=function,
            task_root=bundle.task_root,
            python=bundle.python,
            handler=made["Handler"],
            wrapper=variables.pop("AWS_LAMBDA_EXEC_WRAPPER", None),
            environment={
                **variables,
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["SessionToken"],
            },
            timeout=made["Timeout"],
            memory=made["MemorySize"],
        )


@pytest.fixture(scope="module")
def template(synth):
    return synth(region=REGION)["chatkit-dev"]


@pytest.fixture(scope="module")
def account(template):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Account(f"http://{host}:{port}", template)
    finally:
        server.stop()


@pytest.fixture
def page(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><html></html>")
    return tmp_path


def test_what_moto_can_make_of_the_template_is_made(account):
    assert set(account.made) == set(account.asked)
    kinds = {resource["Type"] for resource in account.asked.values()}
    assert kinds == MADE_BY_MOTO
    table = account.client("dynamodb").describe_table(TableName=account.physical("Table"))["Table"]
    assert table["LocalSecondaryIndexes"][0]["IndexName"] == "by_position"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_asset_of_each_function_is_its_own(template):
    code = {
        name: template.only("AWS::Lambda::Function", f"{name}Function")["Code"]["S3Key"]
        for name in ("Chat", "Actions")
    }
    assert all(key.endswith(".zip") for key in code.values())


@asynccontextmanager
async def deployed(account, page):
    """The address of the edge in front of the two functions as the template sets them up."""
    async with AsyncExitStack() as stack:
        origins = {}
        for path, function, streaming in (
            ("/chatkit", "Chat", True),
            ("/actions", "Actions", False),
        ):
            started = Function(account.configuration(function))
            await stack.enter_async_context(started)
            origins[path] = FunctionUrl(started, streaming=streaming)
        config = {"model": {"name": "demo"}, "api": {"chat": "/chatkit", "actions": "/actions"}}
        edge = Edge(origins, page, {"/config.json": json.dumps(config).encode()})
        server = await stack.enter_async_context(Server(edge.answer))
        yield server.url


async def talk(account, page):
    """What the smoke test says."""
    async with deployed(account, page) as url:
        lines = []
        await asyncio.to_thread(smoke, url, lines.append)
        return lines


async def test_the_functions_start_as_the_template_says_and_answer_a_whole_chat(account, page):
    lines = await talk(account, page)
    assert [line.split()[0] for line in lines] == ["page", "errors", "answer", "file", "stranger"]


async def test_both_functions_refuse_a_foreign_page_and_take_their_own(account, page):
    """Their own is the one that the browser asked the edge for, whatever a client writes."""
    body = b"{"
    common = {
        "content-type": "application/json",
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    evil = "https://evil.example"
    async with (
        deployed(account, page) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        for path in ("/chatkit", "/actions"):
            for headers, status in (
                ({"origin": url}, 400),
                ({}, 400),
                ({"origin": evil}, 403),
                ({"origin": evil, HOST_HEADER: "evil.example"}, 403),
                ({"origin": f"https://{DOMAIN}"}, 403),
                ({"sec-fetch-site": "cross-site"}, 403),
                ({"origin": url, "content-type": "text/plain"}, 415),
            ):
                answer = await client.post(path, content=body, headers={**common, **headers})
                assert answer.status_code == status, (path, headers)
                assert answer.json()["message"]


@pytest.fixture
def enforcing(monkeypatch):
    """From here on moto checks signatures and the role's actions.

    For most services moto does not know the resource of a request, and takes `*` for it. It
    treats a transaction as an action of its own, and it cannot read a signature in the URL.
    `test_roles.py` checks resources and presigned uploads.
    """
    matches = IAMPolicyStatement._check_element_matches

    def check(self, element, value):
        if element == "Resource" and value == "*":
            return True
        if element == "Action":
            value = MOTO_ACTIONS.get(value, value)
        # For a deletion of many objects moto checks the bucket, AWS each object.
        return matches(self, element, value) or (
            element == "Resource" and "/" not in value and matches(self, element, f"{value}/key")
        )

    monkeypatch.setattr(IAMPolicyStatement, "_check_element_matches", check)
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def unless_presigned(self, *args):
        if "X-Amz-Signature=" not in self.uri:
            authorize(self, *args)

    monkeypatch.setattr(
        ActionAuthenticatorMixin, "_authenticate_and_authorize_action", unless_presigned
    )

    def enforce():
        from moto import settings

        monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
        monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)

    return enforce


async def test_motos_own_enforcement_lets_the_roles_do_it_too(
    account, page, enforcing, monkeypatch
):
    configurations = {f: account.configuration(f) for f in ("Chat", "Actions")}
    monkeypatch.setattr(account, "configuration", configurations.__getitem__)
    enforcing()
    lines = await talk(account, page)
    assert len(lines) == 5


async def test_the_events_function_starts_as_the_template_says_and_may_do_its_work(
    account, enforcing, monkeypatch
):
    """It removes an upload that is not what it says, and purges a deleted thread."""
    wrong = f"uploads/{'f' * 32}/x"
    place = {"Bucket": account.physical("FilesBucket"), "Key": wrong}
    account.client("s3").put_object(**place, Body=b"<html>", ContentType="image/png")
    table = account.physical("Table")
    rows = account.client("dynamodb")
    thread = {"pk": {"S": "U#ada"}, "sk": {"S": "THREAD#t"}}
    item = {"pk": {"S": "U#ada#T#t"}, "sk": {"S": "ITEM#i"}}
    rows.put_item(TableName=table, Item=item)
    change = {"Keys": thread, "OldImage": thread, "SequenceNumber": "1"}
    arrived = {"eventSource": "aws:s3", "s3": {"object": {"key": wrong}}}
    removed = {"eventSource": "aws:dynamodb", "eventName": "REMOVE", "dynamodb": change}
    configuration = account.configuration("Events")
    enforcing()
    async with Function(configuration) as function:
        assert await deliver(function, {"Records": [arrived]}) is None
        answer = await deliver(function, {"Records": [removed]})
        assert answer == {"batchItemFailures": []}, function.environments[0].output.decode()
    monkeypatch.undo()  # the role may do this, and the administrator below is none
    assert "Item" not in rows.get_item(TableName=table, Key=item)
    found = account.client("s3").list_objects_v2(Bucket=place["Bucket"], Prefix=wrong)
    assert found["KeyCount"] == 0


@pytest.fixture
def without_rows(account):
    """The streaming function's role in moto, without the statement on the table's rows."""
    iam, role = account.client("iam"), account.physical("ChatRole")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = [s for s in whole["Statement"] if s["Sid"] != "Rows"]
    assert len(less) == len(whole["Statement"]) - 1

    def put(statements):
        document = json.dumps({**whole, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    put(less)
    yield
    put(whole["Statement"])


async def test_motos_own_enforcement_refuses_what_the_role_does_not_allow(
    account, page, without_rows, enforcing, monkeypatch
):
    configurations = {f: account.configuration(f) for f in ("Chat", "Actions")}
    monkeypatch.setattr(account, "configuration", configurations.__getitem__)
    enforcing()
    with pytest.raises(SmokeError, match="was answered 5"):
        await talk(account, page)
