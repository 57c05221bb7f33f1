"""An evaluator of IAM policies, for the rules that moto does not enforce.

moto checks signatures and actions. It ignores the resources of most services, treats a
transaction as an action of its own, and its S3 answers 404 for a missing object where AWS
answers 403 to a caller without the right to list. So this module translates every call of a
client into the actions and resources that AWS's Service Authorization Reference lists for it,
and checks them against the role's statements before the call is sent.

With a data role (`isolation=session`) it also does what STS does: an AssumeRole that the trust
policy allows makes a session with tags. A call or a link is checked against the role, or the
session, whose access key has signed it.
"""

import fnmatch
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.exceptions import ClientError

from functions.aws import owner_sessions


@dataclass(frozen=True)
class Need:
    """One right that a call needs."""

    action: str
    resource: str
    via: str = ""  # the service that uses the right for the caller
    given: tuple[tuple[str, tuple[str, ...]], ...] = ()  # other keys of the request's context


@dataclass
class Role:
    """A role's statements with resolved references, and the rights that calls needed."""

    statements: list[dict]
    account: str
    also: Callable[[Need], Iterable[Need]] = lambda _: ()  # further rights that a right needs
    arn: str = ""
    trust: list[dict] = field(default_factory=list)
    data: "Role | None" = None  # the role that this one may assume; itself, if there is none
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()  # of a session
    asked: set[Need] = field(default_factory=set)
    denied: list[Need] = field(default_factory=list)
    sessions: "dict[str, Role]" = field(default_factory=dict)  # by access key
    lock: threading.Lock = field(default_factory=threading.Lock)

    def permits(self, need: Need) -> bool:
        return any(_matches(statement, need) for statement in self.statements)

    def require(self, need: Need, operation: str) -> None:
        with self.lock:
            needs = [replace(n, given=n.given + self.tags) for n in (need, *self.also(need))]
            self.asked.update(needs)
            missing = [each for each in needs if not self.permits(each)]
            if not missing:
                return
            self.denied += missing
            need = missing[0]
        raise refused(need, operation)

    def signer(self, access_key: str) -> "Role":
        """This role, or the session of the data role that has this access key."""
        return self.sessions.get(access_key, self)

    def assumed(self, access_key: str, request: dict) -> None:
        """Remember the session that STS gives."""
        role = self.data or self
        assert role.arn in ("", request["RoleArn"])
        # The copy shares the lists of what was asked and denied.
        self.sessions[access_key] = replace(role, tags=_tags("aws:PrincipalTag", request))


def refused(need: Need, operation: str) -> ClientError:
    code = {"s3": "AccessDenied", "sts": "AccessDenied"}.get(need.action.split(":")[0])
    code = "403" if operation == "HeadObject" else code or "AccessDeniedException"
    error = {"Code": code, "Message": f"{need.action} on {need.resource}"}
    return ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}, operation)


def as_list(value):
    return value if isinstance(value, list) else [value]


def _tags(key, request):
    return tuple((f"{key}/{tag['Key']}", (tag["Value"],)) for tag in request.get("Tags", ()))


_VARIABLE = re.compile(r"\$\{([^}]+)\}")


class _NoValueError(Exception):
    """A variable has no value. AWS says that the whole statement may then be invalid."""


def _resolved(pattern, given):
    def value(match):
        found = given.get(match[1])
        if found is None:
            raise _NoValueError
        (text,) = found
        assert not set(text) & set("*?[$"), "a value is taken literally, and here would not be"
        return text

    return _VARIABLE.sub(value, pattern)


def _holds(operator, key, wanted, given):
    values = given.get(key)
    if operator == "Null":
        return (values is None) == (wanted == "true")
    sets, _, compare = operator.rpartition(":")
    assert sets in ("", "ForAllValues"), operator
    assert compare in ("StringLike", "StringEquals"), operator
    patterns = [_resolved(pattern, given) for pattern in as_list(wanted)]
    matched = [
        any(fnmatch.fnmatchcase(v, p) if compare == "StringLike" else v == p for p in patterns)
        for v in values or ()
    ]
    return all(matched) if sets else bool(matched) and matched[0]


def _matches(statement, need: Need) -> bool:
    assert statement["Effect"] == "Allow", "the roles have no Deny"
    given = dict(need.given) | ({"kms:ViaService": (need.via,)} if need.via else {})
    try:
        return (
            all(
                _holds(operator, key, wanted, given)
                for operator, keys in statement.get("Condition", {}).items()
                for key, wanted in keys.items()
            )
            and any(
                fnmatch.fnmatchcase(need.action.lower(), action.lower())
                for action in as_list(statement["Action"])
            )
            and any(
                fnmatch.fnmatchcase(need.resource, _resolved(resource, given))
                for resource in as_list(statement.get("Resource", need.resource))
            )
        )
    except _NoValueError:
        return False


_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _leading(rows):
    """`dynamodb:LeadingKeys`: "the first key attribute of a table", of each row in the request."""
    found = [row.get("Key") or row.get("Item") for row in rows]
    keys = tuple(row["pk"]["S"] for row in found if row)
    return (("dynamodb:LeadingKeys", keys),) if keys else ()


def _attributes(asked):
    """`dynamodb:Attributes` and `dynamodb:Select` of a request that reads some attributes only."""
    if "ProjectionExpression" not in asked:
        return ()
    named = tuple(asked["ProjectionExpression"].split(", "))
    select = (("dynamodb:Select", (asked["Select"],)),) if "Select" in asked else ()
    return (("dynamodb:Attributes", named), *select)


def _queried(params):
    asked = re.match(r"pk = (:\w+)", params.get("KeyConditionExpression", ""))
    if asked is None:  # a scan has no such key
        return ()
    return (("dynamodb:LeadingKeys", (params["ExpressionAttributeValues"][asked[1]]["S"],)),)


def _dynamodb(operation, params, place):
    def table(name):
        return f"arn:aws:dynamodb:{place}:table/{name}"

    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in params["TransactItems"]:
            for verb, spec in item.items():
                right, name = f"dynamodb:{_TRANSACTION[verb]}", table(spec["TableName"])
                yield Need(right, name, given=_leading([spec]))
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for name, asked in params["RequestItems"].items():
            if operation == "BatchGetItem":
                rows = [{"Key": key} for key in asked["Keys"]]
                some = _attributes(asked)
            else:
                rows = [spec for request in asked for spec in request.values()]
                some = ()
            yield Need(f"dynamodb:{operation}", table(name), given=_leading(rows) + some)
    elif operation in {"Query", "Scan"}:
        name = table(params["TableName"])
        if "IndexName" in params:
            name = f"{name}/index/{params['IndexName']}"
        some = _attributes(params) if operation == "Scan" else ()
        yield Need(f"dynamodb:{operation}", name, given=_queried(params) + some)
    else:
        name = table(params["TableName"])
        yield Need(f"dynamodb:{operation}", name, given=_leading([params]))


def _s3(operation, params, _place):
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation in {"ListObjectsV2", "ListObjects", "HeadBucket"}:
        prefix = (("s3:prefix", (params["Prefix"],)),) if "Prefix" in params else ()
        yield Need("s3:ListBucket", bucket, given=prefix)
    elif operation == "DeleteObjects":
        # AWS answers for each key; here one refusal is that of the whole call.
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


def _s3vectors(operation, params, place):
    bucket = f"arn:aws:s3vectors:{place}:bucket/{params['vectorBucketName']}"
    if operation == "ListIndexes":
        yield Need("s3vectors:ListIndexes", bucket)
        return
    index = f"{bucket}/index/{params['indexName']}"
    yield Need(f"s3vectors:{operation}", index)
    if operation == "QueryVectors" and ("filter" in params or params.get("returnMetadata")):
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_QueryVectors.html
        yield Need("s3vectors:GetVectors", index)


def _sqs(operation, params, place):
    name = params["QueueUrl"].rsplit("/", 1)[1]
    yield Need(f"sqs:{operation}", f"arn:aws:sqs:{place}:{name}")


def _events(operation, params, place):
    for entry in params["Entries"]:
        bus = f"arn:aws:events:{place}:event-bus/{entry['EventBusName']}"
        yield Need(f"events:{operation}", bus)


def _sts(operation, params, _place):
    assert operation == "AssumeRole"
    for action in ("AssumeRole", "TagSession"):
        yield Need(f"sts:{action}", params["RoleArn"], given=_tags("aws:RequestTag", params))


def _cognito(operation, params, place):
    pool = f"arn:aws:cognito-idp:{place}:userpool/{params['UserPoolId']}"
    yield Need(f"cognito-idp:{operation}", pool)


_SERVICES = {
    "cognito-idp": _cognito,
    "dynamodb": _dynamodb,
    "dynamodbstreams": _dynamodbstreams,
    "events": _events,
    "s3": _s3,
    "s3vectors": _s3vectors,
    "secretsmanager": _secretsmanager,
    "sqs": _sqs,
    "sts": _sts,
}


@contextmanager
def enforced(role: Role, region: str):
    """Check the calls of every boto3 client that is made meanwhile against `role`."""
    place = f"{region}:{role.account}"

    def before(params, model, context, **_):
        service = model.service_model.service_name
        context["needs"] = [*_SERVICES[service](model.name, params, place)]
        context["request"] = params

    def signed(request, operation_name, **_):
        key = re.search(r"Credential=([^/]+)/", _text(request.headers.get("Authorization", "")))
        if key is None:
            return  # a link, which is checked when it is used
        signer = role.signer(key[1])
        request.context["signer"] = signer
        for need in request.context["needs"]:
            signer.require(need, operation_name)
        if operation_name == "AssumeRole" and role.data is not None:
            for need in request.context["needs"]:
                if not _trusted(role, need):
                    raise refused(need, operation_name)

    def missing(http_response, model, context, **_):
        # Without the right to list a bucket, S3 answers 403 for a missing object. Where the right
        # has a condition on the prefix, AWS does not say whether these calls have one: here not.
        if http_response.status_code == 404 and model.name in _OF_AN_OBJECT:
            need = Need("s3:ListBucket", f"arn:aws:s3:::{context['request']['Bucket']}")
            if not context["signer"].permits(need):
                raise refused(need, model.name)
            context["signer"].asked.add(need)

    def given(parsed, context, **_):
        if "Credentials" in parsed:
            role.assumed(parsed["Credentials"]["AccessKeyId"], context["request"])

    boto3.setup_default_session()
    for session in (boto3.DEFAULT_SESSION, owner_sessions.boto_session()):
        session.events.register("provide-client-params.*.*", before)
        session.events.register_last("request-created", signed)
        session.events.register("after-call.s3.*", missing)
        session.events.register("after-call.sts.AssumeRole", given)
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = None
        owner_sessions.boto_session.cache_clear()


_OF_AN_OBJECT = {"HeadObject", "GetObject", "CopyObject"}


def _text(header):
    return header.decode() if isinstance(header, bytes) else header


def _trusted(role, need):
    """Whether the data role's trust policy lets `role` assume it so."""
    return any(
        role.arn in as_list(statement["Principal"]["AWS"]) and _matches(statement, need)
        for statement in role.data.trust
    )


def signer_of(role: Role, url: str) -> Role:
    """The role, or the session, that has signed a link."""
    (credential,) = parse_qs(urlsplit(url).query)["X-Amz-Credential"]
    return role.signer(credential.split("/")[0])


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


def grants(statement):
    """A statement's single rights: each action on each resource, through each service."""
    through = statement.get("Condition", {}).get("StringLike", {}).get("kms:ViaService")
    for action, resource, service in product(
        as_list(statement["Action"]), as_list(statement["Resource"]), as_list(through)
    ):
        narrow = {"Condition": {"StringLike": {"kms:ViaService": service}}} if service else {}
        yield {**statement, "Action": action, "Resource": resource, **narrow}
