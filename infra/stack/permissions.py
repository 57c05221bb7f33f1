"""The functions' rights. A test shows that the code needs each of them, and no other."""

from aws_cdk import aws_kms as kms

from infra.stack.files import FilesBucket
from infra.stack.function import ServiceFunction
from infra.stack.secret import Secrets
from infra.stack.table import ChatTable


def allow_chat(
    function: ServiceFunction,
    *,
    table: ChatTable,
    files: FilesBucket,
    secrets: Secrets,
    key: kms.IKey | None,
) -> None:
    function.allow(
        "Rows",
        [
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ],
        [table.table.table_arn],
    )
    function.allow("Index", ["dynamodb:Query"], [table.index_arn])
    function.allow(
        "Objects",
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        [files.bucket.arn_for_objects("*")],
    )
    _allow_listing(function, files)
    _allow_secrets(function, secrets, model=True)
    _allow_key(function, key)


def allow_actions(
    function: ServiceFunction,
    *,
    table: ChatTable,
    files: FilesBucket,
    secrets: Secrets,
    transcribes_with_model_key: bool,
    key: kms.IKey | None,
) -> None:
    function.allow(
        "Rows",
        [
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ],
        [table.table.table_arn],
    )
    function.allow(
        "Objects",
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        [files.bucket.arn_for_objects("*")],
    )
    _allow_listing(function, files)
    _allow_secrets(function, secrets, model=transcribes_with_model_key)
    _allow_key(function, key)


def _allow_listing(function: ServiceFunction, files: FilesBucket) -> None:
    # Without the right to list a bucket, S3 answers 403 and not 404 for a missing object:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    function.allow("List", ["s3:ListBucket"], [files.bucket.bucket_arn])


def _allow_secrets(function: ServiceFunction, secrets: Secrets, *, model: bool) -> None:
    function.allow("CookieKey", ["secretsmanager:GetSecretValue"], [secrets.cookie.arn])
    if secrets.model and model:
        function.allow("ModelKey", ["secretsmanager:GetSecretValue"], [secrets.model.arn])
    if secrets.transcription:
        function.allow(
            "TranscriptionKey", ["secretsmanager:GetSecretValue"], [secrets.transcription.arn]
        )


def _allow_key(function: ServiceFunction, key: kms.IKey | None) -> None:
    if key is None:
        return
    # DynamoDB decrypts the table's key with the caller's right, for reads and for writes. For
    # everything else it uses the grants that CloudFormation gave it when it made the table:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    function.allow(
        "DataKey", ["kms:Decrypt"], [key.key_arn], _through("dynamodb", "s3", "secretsmanager")
    )
    # S3 encrypts each object with a data key that it generates:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    function.allow("NewDataKey", ["kms:GenerateDataKey"], [key.key_arn], _through("s3"))


def _through(*services: str) -> dict[str, dict[str, object]]:
    """A condition: only when one of these services uses the key for the function."""
    return {
        "StringLike": {"kms:ViaService": [f"{service}.*.amazonaws.com" for service in services]}
    }
