"""An evaluator of IAM policies, for the rules that moto does not enforce.

moto checks signatures and actions. It ignores the resources of most services, treats a
transaction as an action of its own, and its S3 answers 404 for a missing object where AWS
answers 403 to a caller without the right to list. So this module translates every call of a
client into the actions and resources that AWS's Service Authorization Reference lists for it,
and checks them against the role's statements before the call is sent.
"""

import fnmatch
import threading
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

import boto3
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Need:
    """One right that a call needs."""

    action: str
    resource: str
    via: str = ""  # the service that uses the right for the caller


@dataclass
class Role:
    """A role's statements with resolved references, and the rights that calls needed."""

    statements: list[dict]
    account: str
    also: Callable[[Need], Iterable[Need]] = lambda _: ()  # further rights that a right needs
    asked: set[Need] = field(default_factory=set)
    denied: list[Need] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def permits(self, need: Need) -> bool:
        return any(_matches(statement, need) for statement in self.statements)

    def require(self, need: Need, operation: str) -> None:
        with self.lock:
            needs = [need, *self.also(need)]
            self.asked.update(needs)
            missing = [each for each in needs if not self.permits(each)]
            if not missing:
                return
            self.denied += missing
            need = missing[0]
        error = {"Code": "AccessDeniedException", "Message": f"{need.action} on {need.resource}"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}, operation)


def as_list(value):
    return value if isinstance(value, list) else [value]


def _matches(statement, need: Need) -> bool:
    assert statement["Effect"] == "Allow", "the roles have no Deny"
    conditions = statement.get("Condition", {"StringLike": {}})
    assert set(conditions) == {"StringLike"}, "no other condition is known here"
    assert set(conditions["StringLike"]) <= {"kms:ViaService"}, "nor another key"
    if not all(
        any(fnmatch.fnmatchcase(need.via, service) for service in as_list(services))
        for services in conditions["StringLike"].values()
    ):
        return False
    return any(
        fnmatch.fnmatchcase(need.action.lower(), action.lower())
        for action in as_list(statement["Action"])
    ) and any(
        fnmatch.fnmatchcase(need.resource, resource) for resource in as_list(statement["Resource"])
    )


_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _dynamodb(operation, params, place):
    def table(name):
        return f"arn:aws:dynamodb:{place}:table/{name}"

    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in params["TransactItems"]:
            for verb, spec in item.items():
                yield Need(f"dynamodb:{_TRANSACTION[verb]}", table(spec["TableName"]))
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for name in params["RequestItems"]:
            yield Need(f"dynamodb:{operation}", table(name))
    elif operation in {"Query", "Scan"} and "IndexName" in params:
        name = f"{table(params['TableName'])}/index/{params['IndexName']}"
        yield Need(f"dynamodb:{operation}", name)
    else:
        yield Need(f"dynamodb:{operation}", table(params["TableName"]))


def _s3(operation, params, _place):
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation in {"ListObjectsV2", "ListObjects", "HeadBucket"}:
        yield Need("s3:ListBucket", bucket)
    elif operation == "DeleteObjects":
        for entry in params["Delete"]["Objects"]:
            yield Need("s3:DeleteObject", f"{bucket}/{entry['Key']}")
    elif operation == "CopyObject":
        source = params["CopySource"]
        yield Need("s3:GetObject", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}")
        yield Need("s3:PutObject", f"{bucket}/{params['Key']}")
    else:
        action = {"HeadObject": "GetObject"}.get(operation, operation)
        yield Need(f"s3:{action}", f"{bucket}/{params['Key']}")


def _secretsmanager(operation, params, place):
    name = params["SecretId"]
    # A role allows the secret's ARN, to which AWS adds six random characters.
    arn = (
        name if name.startswith("arn:") else f"arn:aws:secretsmanager:{place}:secret:{name}-aB3dE6"
    )
    yield Need(f"secretsmanager:{operation}", arn)


def _dynamodbstreams(operation, params, _place):
    if operation == "ListStreams":
        yield Need("dynamodb:ListStreams", "*")  # the reference names no resource for it
    else:
        # An iterator begins with its stream's ARN.
        arn = params.get("StreamArn") or params["ShardIterator"].split("|")[0]
        yield Need(f"dynamodb:{operation}", arn)


def _sqs(operation, params, place):
    name = params["QueueUrl"].rsplit("/", 1)[1]
    yield Need(f"sqs:{operation}", f"arn:aws:sqs:{place}:{name}")


def _cognito(operation, params, place):
    pool = f"arn:aws:cognito-idp:{place}:userpool/{params['UserPoolId']}"
    yield Need(f"cognito-idp:{operation}", pool)


_SERVICES = {
    "cognito-idp": _cognito,
    "dynamodb": _dynamodb,
    "dynamodbstreams": _dynamodbstreams,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "sqs": _sqs,
}


@contextmanager
def enforced(role: Role, region: str):
    """Check the calls of every boto3 client that is made meanwhile against `role`."""
    place = f"{region}:{role.account}"

    def before(params, model, **_):
        service = model.service_model.service_name
        for need in _SERVICES[service](model.name, params, place):
            role.require(need, model.name)

    def missing(http_response, model, context, **_):
        # Without the right to list a bucket, S3 answers 403 for a missing object.
        if http_response.status_code == 404 and model.name in {"HeadObject", "GetObject"}:
            role.require(Need("s3:ListBucket", context["bucket_arn"]), model.name)

    def remember(params, context, **_):
        context["bucket_arn"] = f"arn:aws:s3:::{params['Bucket']}"

    boto3.setup_default_session()
    events = boto3.DEFAULT_SESSION.events
    events.register("provide-client-params.*.*", before)
    events.register("before-parameter-build.s3.HeadObject", remember)
    events.register("before-parameter-build.s3.GetObject", remember)
    events.register("after-call.s3.*", missing)
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = None


def resolve(value, names):
    """A part of a template with every intrinsic replaced; `names` maps `Id` and `Id.Attribute`."""
    if isinstance(value, list):
        return [resolve(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return names[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return names[f"{name}.{attribute}"]
        case {"Fn::Join": [by, parts]}:
            return by.join(resolve(parts, names))
        case {"Fn::Select": [number, parts]}:
            return resolve(parts, names)[number]
        case {"Fn::Split": [by, text]}:
            return resolve(text, names).split(by)
    return {key: resolve(inner, names) for key, inner in value.items()}


def statements_of(template, role_id):
    """The statements of all policies of one role in a template, as they stand there."""
    return [
        statement
        for policy in template.of_type("AWS::IAM::Policy").values()
        if {"Ref": role_id} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
