"""The functions' rights. A test shows that the code needs each of them, and no other.

With `isolation=session` the functions' own roles reach no rows and objects but the stage's
counters, and the data role reaches those of the owner whom its session names:

- `ForAllValues` is also true for a request without the key. None of the calls here comes without
  `dynamodb:LeadingKeys`, and `Null` makes sure of it:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
- `Scan` returns all rows "regardless of the leading keys", so only the sweep may scan, and reads
  nothing but keys and the names of objects (`dynamodb:Attributes`):
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
- A transaction needs the rights of the single writes in it, each with its own key:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
"""

from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from functions.attachments.schema import FILES, IMAGES, SPILL, UPLOADS, VOICE
from functions.aws.owner_sessions import FOLDER_TAG, OWNER_TAG
from functions.knowledge.current import INDEXES
from functions.knowledge.documents import ORIGINALS
from functions.knowledge.embeddings import EmbeddingModel
from functions.llm.choice import ModelChoice
from functions.llm.providers import foundation_model
from functions.store import keys, sweep
from infra.stack.data_role import DataRole
from infra.stack.deployer import Deployer
from infra.stack.files import FilesBucket
from infra.stack.function import ServiceFunction
from infra.stack.knowledge import VectorBucket
from infra.stack.role import Conditions, WithRole
from infra.stack.secret import SecretReference, Secrets
from infra.stack.table import ChatTable

_OWNER = f"${{aws:PrincipalTag/{OWNER_TAG}}}"
_FOLDER = f"${{aws:PrincipalTag/{FOLDER_TAG}}}"
_USERS = [keys.user_partition(_OWNER), f"{keys.user_partition(_OWNER)}#T#*"]
"""The owner's partitions, except that of their counters."""
_PREFIXES = [f"{prefix}{_FOLDER}/*" for prefix in (UPLOADS, VOICE, FILES, IMAGES, SPILL)]

_ROWS = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
]
"""What the two functions that people reach do with rows."""
_CHAT_ROWS = ["dynamodb:Query"]
_REMOVED_ROWS = ["dynamodb:BatchWriteItem"]
"""What only a purge does with rows: of a deleted thread, or of a person who deletes their data. It
writes none.
"""
_EVENTS_ROWS = [
    *_REMOVED_ROWS,
    "dynamodb:BatchGetItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:Query",
]

_PASS_ROWS = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
_PASS_READ = ["dynamodb:BatchWriteItem", "dynamodb:GetItem"]
_TOTALS_ROWS = ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
_DOCUMENT_ROWS = [
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
]
_VECTORS = [
    "s3vectors:CreateIndex",
    "s3vectors:DeleteVectors",
    "s3vectors:GetIndex",
    "s3vectors:GetVectors",
    "s3vectors:PutVectors",
]

_INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]

_OBJECTS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
_EVENTS_OBJECTS = ["s3:GetObject", "s3:DeleteObject"]


def allow_chat(
    function: ServiceFunction, *, table: ChatTable, files: FilesBucket, key: kms.IKey | None
) -> None:
    function.allow(
        "Rows",
        [*_ROWS, *_CHAT_ROWS, *_REMOVED_ROWS],
        [table.table.table_arn],
    )
    function.allow("Index", ["dynamodb:Query"], [table.index_arn])
    _allow_objects(function, files, _OBJECTS)
    _allow_key(function, key, "dynamodb", "s3", "secretsmanager")


def allow_actions(
    function: ServiceFunction, *, table: ChatTable, files: FilesBucket, key: kms.IKey | None
) -> None:
    function.allow(
        "Rows",
        _ROWS,
        [table.table.table_arn],
    )
    _allow_objects(function, files, _OBJECTS)
    _allow_key(function, key, "dynamodb", "s3", "secretsmanager")


def allow_events(
    function: ServiceFunction, *, table: ChatTable, files: FilesBucket, key: kms.IKey | None
) -> None:
    """To purge deleted threads and to check uploads: the function stores nothing."""
    function.allow("Rows", _EVENTS_ROWS, [table.table.table_arn])
    _allow_objects(function, files, _EVENTS_OBJECTS)
    _allow_key(function, key, "dynamodb", "s3", new_objects=False)


def allow_records(function: ServiceFunction, *, key: kms.IKey | None) -> None:
    """What the events function reaches by itself with `isolation=session`: the stream's records."""
    _allow_key(function, key, "dynamodb")


def allow_sweep(
    function: ServiceFunction,
    *,
    table: ChatTable,
    files: FilesBucket,
    key: kms.IKey | None,
    isolated: bool,
) -> None:
    """To read the keys of all rows and the names of all objects, and to remove those of deleted
    threads. Where people are `isolated`, it removes them by the data role.
    """
    rows = [table.table.table_arn]
    only = {"StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}}
    function.allow("Scan", ["dynamodb:Scan"], rows, {**_attributes(sweep.ATTRIBUTES), **only})
    function.allow(
        "Pass",
        [*_PASS_ROWS, *(_PASS_READ if isolated else [])],
        rows,
        _leading_keys("StringEquals", [keys.SWEEP]),
    )
    if isolated:
        function.allow("Threads", ["dynamodb:BatchGetItem"], rows, _attributes(("pk", "sk")))
    else:
        function.allow("Rows", _EVENTS_ROWS, rows)
        objects = [
            files.bucket.arn_for_objects(f"{prefix}*") for prefix in (*sweep.PREFIXES, UPLOADS)
        ]
        function.allow("Objects", ["s3:DeleteObject"], objects)
    _allow_list(function, files, *sweep.PREFIXES)
    _allow_key(function, key, "dynamodb")


def allow_table_version(role: Deployer, *, table: ChatTable, key: kms.IKey | None) -> None:
    """To compare the version of the table with that of the code before a deploy, and to keep it."""
    role.allow(
        "TableVersion",
        ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        [table.table.table_arn],
        _leading_keys("StringEquals", [keys.SCHEMA]),
    )
    _allow_key(role, key, "dynamodb")


def allow_changes(
    function: ServiceFunction,
    *,
    table: ChatTable,
    key: kms.IKey | None,
    texts_in: FilesBucket | None,
) -> None:
    """To count: the changes function reaches totals, which belong to nobody, and no other row.

    With `texts_in`, the bucket with large ones, it also reads what people have written. With
    `isolation=session` it does so by the data role, and `texts_in` is None.
    """
    function.allow(
        "Totals",
        _TOTALS_ROWS,
        [table.table.table_arn],
        _leading_keys("StringLike", [f"{keys.TOTALS}*"]),
    )
    if texts_in:
        theirs = _leading_keys("StringLike", [f"{keys.USER}*"])
        rows = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
        function.allow("Texts", rows, [table.table.table_arn], theirs)
        function.allow("Index", ["dynamodb:Query"], [table.index_arn], theirs)
        large = texts_in.bucket.arn_for_objects(f"{SPILL}*")
        function.allow("LargeTexts", ["s3:GetObject"], [large])
    _allow_key(function, key, "dynamodb", *(["s3"] if texts_in else []), new_objects=False)


def allow_report(function: ServiceFunction, *, table: ChatTable) -> None:
    """To read totals with `isolation=session`. Without it, the function reaches all rows anyway."""
    function.allow(
        "Totals",
        ["dynamodb:Query"],
        [table.table.table_arn],
        _leading_keys("StringLike", [f"{keys.TOTALS}*"]),
    )


def allow_counters(function: ServiceFunction, *, table: ChatTable, key: kms.IKey | None) -> None:
    """What a function reaches by itself with `isolation=session`: the counters that several people
    share.
    """
    function.allow(
        "Counters",
        ["dynamodb:UpdateItem"],
        [table.table.table_arn],
        _leading_keys("StringLike", [f"{keys.SHARED}*"]),
    )
    _allow_key(function, key, "dynamodb", "secretsmanager")


def allow_owner(
    role: DataRole, *, table: ChatTable, files: FilesBucket, key: kms.IKey | None
) -> None:
    """What a session reaches: the rows and objects of the owner whom it names."""
    role.allow(
        "Rows",
        [*_ROWS, *_CHAT_ROWS, *_REMOVED_ROWS],
        [table.table.table_arn],
        _leading_keys("StringLike", [*_USERS, keys.counters_partition(_OWNER)]),
    )
    role.allow("Index", ["dynamodb:Query"], [table.index_arn], _leading_keys("StringLike", _USERS))
    role.allow("Objects", _OBJECTS, [files.bucket.arn_for_objects(each) for each in _PREFIXES])
    role.allow(
        "List",
        ["s3:ListBucket"],
        [files.bucket.bucket_arn],
        {"StringLike": {"s3:prefix": _PREFIXES}},
    )
    _allow_key(role, key, "dynamodb", "s3")


def allow_models(function: ServiceFunction, choice: ModelChoice) -> None:
    """To ask the models of Amazon Bedrock that answer here, and no others.

    On the endpoint `runtime`, chat completions and Responses need the same rights as InvokeModel,
    with and without a stream:
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference.html

    An inference profile also needs the right to its model in each region that it leads to, which
    the condition gives through this profile only:
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    A global profile leads to no region that could be named:
    https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html

    On `mantle` a role is allowed all models of a project:
    https://docs.aws.amazon.com/bedrock/latest/userguide/security-iam-projects.html
    """
    stack = Stack.of(function)
    all_models = [choice.model(name) for name in choice.every_name]
    used = [model for model in all_models if model.provider == "bedrock"]
    projects = {each.endpoint.project for each in used if each.endpoint.kind == "mantle"}
    for project in projects:
        arn = stack.format_arn(
            service="bedrock-mantle", resource="project", resource_name=project or "default"
        )
        function.allow("Project", ["bedrock-mantle:CreateInference"], [arn])

    names = [each.name for each in used if each.endpoint.kind == "runtime"]
    _allow_invoking(function, "", names, _INVOKE)


def _allow_invoking(
    function: ServiceFunction, about: str, names: list[str], rights: list[str]
) -> None:
    """To invoke these models and inference profiles of Amazon Bedrock, and no others.

    The statements' names begin with what the models are `about`.
    """
    stack = Stack.of(function)
    direct: list[str] = []
    profiles: list[str] = []
    behind: list[str] = []
    for name in dict.fromkeys(names):
        geography, model = foundation_model(name)
        if name.startswith("arn:") and "inference-profile/" in name:
            profiles.append(name)
            behind.append(_foundation_model(stack, "*", region="*"))  # its ARN does not name it
        elif name.startswith("arn:"):
            direct.append(name)
        elif geography is None:
            direct.append(_foundation_model(stack, name, region=stack.region))
        else:
            profiles.append(
                stack.format_arn(
                    service="bedrock", resource="inference-profile", resource_name=name
                )
            )
            regions = [stack.region, ""] if geography == "global" else ["*"]
            behind += [_foundation_model(stack, model, region=region) for region in regions]
    if direct:
        function.allow(f"{about}Models", rights, direct)
    if profiles:
        function.allow(f"{about}Profiles", rights, profiles)
        through = {"StringEquals": {"bedrock:InferenceProfileArn": profiles}}
        function.allow(f"{about}ProfileModels", rights, list(dict.fromkeys(behind)), through)


def allow_search(
    function: ServiceFunction,
    *,
    vectors: VectorBucket,
    files: FilesBucket,
    key: kms.IKey | None,
    isolated: bool,
) -> None:
    """To search what the assistant knows.

    A filter, and metadata in the answer, ask for GetVectors too:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_QueryVectors.html

    Documents are nobody's, so they are reached by the function itself also where it is `isolated`.
    Without that it reaches all objects anyway.
    """
    function.allow("Vectors", ["s3vectors:QueryVectors", "s3vectors:GetVectors"], [vectors.indexes])
    if isolated:
        places = [files.bucket.arn_for_objects(f"{each}*") for each in (ORIGINALS, INDEXES)]
        function.allow("Documents", ["s3:GetObject"], places)
        _allow_list(function, files, INDEXES)
    if key:
        services = ["s3vectors", "s3"] if isolated else ["s3vectors"]
        function.allow("KnowledgeKey", ["kms:Decrypt"], [key.key_arn], _through(*services))


def allow_ingest(
    function: ServiceFunction,
    *,
    table: ChatTable,
    vectors: VectorBucket,
    files: FilesBucket,
    key: kms.IKey | None,
    reads_secret: bool,
) -> None:
    """To read documents, and to change their rows, their words and passages, and the vectors."""
    function.allow(
        "Rows",
        _DOCUMENT_ROWS,
        [table.table.table_arn],
        _leading_keys("StringLike", [f"{keys.KNOWLEDGE}*"]),
    )
    function.allow("Originals", ["s3:GetObject"], [files.bucket.arn_for_objects(f"{ORIGINALS}*")])
    function.allow("Words", _OBJECTS, [files.bucket.arn_for_objects(f"{INDEXES}*")])
    _allow_list(function, files)
    function.allow("Vectors", _VECTORS, [vectors.indexes])
    secrets = ["secretsmanager"] if reads_secret else []
    _allow_key(function, key, "dynamodb", "s3", "s3vectors", *secrets)


def allow_embedding(
    function: ServiceFunction, model: EmbeddingModel, secret: SecretReference | None
) -> None:
    """To ask the model that makes the vectors: exactly this one of Amazon Bedrock, or with the
    `secret` that has the provider's key.
    """
    if model.provider == "bedrock":
        _allow_invoking(function, "Embedding", [model.model], ["bedrock:InvokeModel"])
    if secret:
        function.allow("EmbeddingKey", ["secretsmanager:GetSecretValue"], [secret.arn])


def allow_secrets(
    function: ServiceFunction, secrets: Secrets, *, models: list[str], turnstile: bool, mcp: bool
) -> None:
    """`models` are the providers whose keys the function reads."""
    function.allow("CookieKey", ["secretsmanager:GetSecretValue"], [secrets.cookie.arn])
    keys = [secrets.models[provider].arn for provider in models if provider in secrets.models]
    if keys:
        function.allow("ModelKey", ["secretsmanager:GetSecretValue"], keys)
    if secrets.transcription:
        function.allow(
            "TranscriptionKey", ["secretsmanager:GetSecretValue"], [secrets.transcription.arn]
        )
    if secrets.turnstile and turnstile:
        function.allow("TurnstileKey", ["secretsmanager:GetSecretValue"], [secrets.turnstile.arn])
    if secrets.mcp and mcp:
        arns = [secret.arn for secret in secrets.mcp]
        function.allow("McpKeys", ["secretsmanager:GetSecretValue"], arns)


def allow_collector(function: ServiceFunction, secret: SecretReference | None) -> None:
    """To read the headers that the collector of traces asks for."""
    if secret is not None:
        function.allow("CollectorKey", ["secretsmanager:GetSecretValue"], [secret.arn])


def allow_guardrail(function: ServiceFunction, guardrail: str | None) -> None:
    """To apply one guardrail of Amazon Bedrock, which is named by its id or ARN and its version.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
    """
    if guardrail is None:
        return
    named, _, _version = guardrail.rpartition(":")
    ours = Stack.of(function).format_arn(
        service="bedrock", resource="guardrail", resource_name=named
    )
    arn = named if named.startswith("arn:") else ours
    function.allow("Guardrail", ["bedrock:ApplyGuardrail"], [arn])


def _foundation_model(stack: Stack, model: str, *, region: str) -> str:
    return stack.format_arn(
        service="bedrock",
        region=region,
        account="",
        resource="foundation-model",
        resource_name=model,
    )


def _leading_keys(operator: str, partitions: list[str]) -> Conditions:
    """A condition: only rows of these partitions, and only where the request names partitions."""
    return {
        f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": partitions},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def _attributes(names: tuple[str, ...]) -> Conditions:
    """A condition: only these attributes of rows, and only where the request names attributes."""
    return {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": list(names)},
        "Null": {"dynamodb:Attributes": "false"},
    }


def _allow_objects(function: ServiceFunction, files: FilesBucket, rights: list[str]) -> None:
    function.allow("Objects", rights, [files.bucket.arn_for_objects("*")])
    _allow_list(function, files)


def _allow_list(function: ServiceFunction, files: FilesBucket, *prefixes: str) -> None:
    # Without the right to list a bucket, S3 answers 403 and not 404 for a missing object:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    below = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    function.allow(
        "List", ["s3:ListBucket"], [files.bucket.bucket_arn], below if prefixes else None
    )


def _allow_key(
    role: WithRole, key: kms.IKey | None, *services: str, new_objects: bool = True
) -> None:
    if key is None:
        return
    # DynamoDB decrypts the table's key with the caller's right, for reads and for writes. For
    # everything else it uses the grants that CloudFormation gave it when it made the table:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    role.allow("DataKey", ["kms:Decrypt"], [key.key_arn], _through(*services))
    # S3 encrypts each object, and S3 Vectors each index, with a data key that it generates:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-data-encryption.html
    generating = [service for service in services if service in {"s3", "s3vectors"}]
    if generating and new_objects:
        role.allow("NewDataKey", ["kms:GenerateDataKey"], [key.key_arn], _through(*generating))


def _through(*services: str) -> Conditions:
    """A condition: only when one of these services uses the key for the function."""
    return {
        "StringLike": {"kms:ViaService": [f"{service}.*.amazonaws.com" for service in services]}
    }
