"""The rights to a KMS key that a call needs, when the key encrypts what the call uses.

moto encrypts nothing. AWS checks the caller's right to the key as well as to the data. AWS's
documents say which right each call needs:

DynamoDB: "When you access an encrypted DynamoDB table, DynamoDB needs to decrypt the table
key [...] The user is the principal in your AWS account who is accessing the table." So it is
for a write, too: https://github.com/aws/aws-cdk/issues/10010. The other actions that it wants
(Encrypt, ReEncrypt*, GenerateDataKey*, DescribeKey, CreateGrant) are those of "the principal
who makes the selection" of the key: CloudFormation's. Later it uses the grants made then. "Table
keys" are a stream's as well.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html

S3: "To upload an object encrypted with an AWS KMS key to Amazon S3, you need
kms:GenerateDataKey permissions on the key. To download an object encrypted with an AWS KMS
key, you need kms:Decrypt permissions." Metadata, lists and deletions use no key.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html

S3 Vectors says of a key of one's own what S3 says of it:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-data-encryption.html

Secrets Manager "calls the Decrypt operation in response to" GetSecretValue.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from collections.abc import Iterator

from tests.infra.stack.iam import Need, resolve

# The calls of our functions that read or write encrypted data.
_ASKED = {
    **{
        f"dynamodb:{operation}": "kms:Decrypt"
        for operation in (
            "BatchGetItem",
            "BatchWriteItem",
            "ConditionCheckItem",
            "DeleteItem",
            "GetItem",
            "GetRecords",
            "PutItem",
            "Query",
            "Scan",
            "UpdateItem",
        )
    },
    "s3:GetObject": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
    "secretsmanager:GetSecretValue": "kms:Decrypt",
    "s3vectors:GetVectors": "kms:Decrypt",
    "s3vectors:PutVectors": "kms:GenerateDataKey",
    "s3vectors:QueryVectors": "kms:Decrypt",
}
_NOT_ASKED = {
    "dynamodb:DescribeStream",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3vectors:CreateIndex",
    "s3vectors:DeleteIndex",
    "s3vectors:DeleteVectors",
    "s3vectors:GetIndex",
    "s3vectors:ListIndexes",
}


class Keys:
    """The keys of a template's table, buckets and secrets, by the ARN of what they encrypt."""

    def __init__(self, template, names):
        self.of = {}
        for name, resource in template.resources.items():
            key = _key(resource)
            if key is not None:
                arns = (names.get(f"{name}.{of}") for of in ("Arn", "VectorBucketArn"))
                arn = next((arn for arn in arns if arn), None) or names[name]
                self.of[arn] = resolve(key, names)

    def asked(self, need: Need) -> Iterator[Need]:
        """The right to a key that `need` needs, through the service that is called."""
        for thing, key in self.of.items():
            # A table's ARN begins those of its index and its stream, a bucket's its objects'.
            if need.resource == thing or need.resource.startswith(f"{thing}/"):
                assert need.action in _ASKED or need.action in _NOT_ASKED, need
                if need.action in _ASKED:
                    service, region = need.action.split(":")[0], key.split(":")[3]
                    yield Need(_ASKED[need.action], key, f"{service}.{region}.amazonaws.com")


def _key(resource):
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            return properties.get("SSESpecification", {}).get("KMSMasterKeyId")
        case "AWS::S3::Bucket":
            (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            return rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        case "AWS::S3Vectors::VectorBucket":
            return properties.get("EncryptionConfiguration", {}).get("KmsKeyArn")
        case "AWS::SecretsManager::Secret":
            return properties.get("KmsKeyId")
    return None
