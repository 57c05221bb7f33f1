"""What each function may do: each action here is one that its code makes, and is tested to be."""

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
    hears_with_model_key: bool,
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
    _allow_secrets(function, secrets, model=hears_with_model_key)
    _allow_key(function, key)


def _allow_listing(function: ServiceFunction, files: FilesBucket) -> None:
    # Who may not list a bucket is told 403 and not 404 for an object that is missing:
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
    # What is asked of who reads and writes. DynamoDB decrypts the table's own key on the caller's
    # behalf, for a write too; the rest it does by grants of who made the table, CloudFormation:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    function.allow(
        "DataKey", ["kms:Decrypt"], [key.key_arn], _through("dynamodb", "s3", "secretsmanager")
    )
    # S3 encrypts with a data key that it has made:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    function.allow("NewDataKey", ["kms:GenerateDataKey"], [key.key_arn], _through("s3"))


def _through(*services: str) -> dict[str, dict[str, object]]:
    """Only when one of these services asks, on the function's behalf."""
    return {
        "StringLike": {"kms:ViaService": [f"{service}.*.amazonaws.com" for service in services]}
    }
