"""One S3 bucket: reading, writing, signing and removing objects."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from . import clients, owner_sessions

LINK_SECONDS: Final = 3600
"""How long a signed link to an object is valid."""
UPLOAD_SECONDS: Final = 600
"""How long a link for an upload is valid; the upload must begin before that."""
DELETE_BATCH: Final = 1000
"""Keys that `DeleteObjects` takes, and that a page of `ListObjectsV2` has."""

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_DENIED: Final = frozenset({"403", "AccessDenied"})


def _newest_signature(signature_version: str, **_: Any) -> str | None:
    """Choose version 4: in some regions boto3 signs links with version 2, which signs neither the
    length nor the type of an upload.
    """
    return "s3v4-query" if signature_version.endswith("-query") else None


@dataclass(frozen=True)
class Head:
    """An object's size in bytes, content type, ETag, and what was put beside it (in lower case)."""

    size: int
    content_type: str
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedPut:
    """A link for an upload, and the signed headers to send with it."""

    url: str
    headers: dict[str, str]


class Bucket:
    """One bucket and its client. A method costs one request unless its docstring says more.

    `client` is boto3's S3 client, by default that of `functions.aws.owner_sessions`, or the
    process's own for the objects that belong to nobody (`nobodys`).
    """

    def __init__(self, name: str, client: Any = None, *, nobodys: bool = False) -> None:
        self.name = name
        self._given = client
        self._nobodys = nobodys
        if client is not None:
            client.meta.events.register_first(
                "choose-signer.s3", _newest_signature, unique_id="chatkit-s3v4"
            )

    @property
    def client(self) -> Any:
        if self._given is not None:
            return self._given
        return clients.client("s3") if self._nobodys else owner_sessions.client("s3")

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        await clients.call(
            self.client.put_object,
            Bucket=self.name,
            Key=key,
            Body=data,
            ContentType=content_type,
        )

    async def get(
        self, key: str, first: int | None = None, etag: str | None = None
    ) -> bytes | None:
        """An object's bytes, or only the `first` ones.

        `None` when there is no such object, or it no longer has this `etag`. A body that breaks
        off is requested again; `functions.aws.clients` has the limits.
        """
        return await clients.call(self._get, key=key, first=first, etag=etag)

    def _get(self, key: str, first: int | None, etag: str | None) -> bytes | None:
        asked = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        if etag is not None:
            asked["IfMatch"] = etag
        left = clients.MAX_ATTEMPTS
        while True:
            try:
                answer = self.client.get_object(Bucket=self.name, Key=key, **asked)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "InvalidRange":  # S3's answer for a range of an empty object
                    return b""
                if code == "PreconditionFailed" or self.is_missing(error, key):
                    return None
                raise
            left -= 1 + answer["ResponseMetadata"]["RetryAttempts"]
            try:
                data: bytes = answer["Body"].read()
            except BotoCoreError:  # the body broke off; botocore does not retry that
                if left <= 0:
                    raise
            else:
                return data

    async def head(self, key: str) -> Head | None:
        try:
            answer = await clients.call(self.client.head_object, Bucket=self.name, Key=key)
        except ClientError as error:
            if await clients.call(self.is_missing, error=error, key=key):
                return None
            raise
        return Head(
            answer["ContentLength"],
            answer.get("ContentType", ""),
            answer["ETag"],
            answer.get("Metadata", {}),
        )

    async def copy(self, source: str, target: str, etag: str, content_type: str) -> None:
        """Copy an object if it still has this `etag`.

        Raises botocore's `ClientError` if not, with the code `NoSuchKey` or `PreconditionFailed`.
        """
        try:
            await clients.call(
                self.client.copy_object,
                Bucket=self.name,
                Key=target,
                CopySource={"Bucket": self.name, "Key": source},
                CopySourceIfMatch=etag,
                ContentType=content_type,
                MetadataDirective="REPLACE",
            )
        except ClientError as error:
            if await clients.call(self.is_missing, error=error, key=source):
                missing = {"Error": {"Code": "NoSuchKey", "Message": "the source is missing"}}
                raise ClientError(missing, "CopyObject") from error
            raise

    def is_missing(self, error: ClientError, key: str) -> bool:
        """Whether S3's refusal means that there is no such object.

        To a caller without the right to list the bucket, S3 answers 403 for a missing object:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html. An owner's session may
        list below its own prefixes only, and AWS does not say what it gets then. So after a 403 a
        list decides, one request more; that is refused, too, when the key is another owner's.
        """
        code = error.response["Error"]["Code"]
        if code not in _DENIED:
            return code in _MISSING
        page = self.client.list_objects_v2(Bucket=self.name, Prefix=key, MaxKeys=1)
        return all(entry["Key"] != key for entry in page.get("Contents", []))

    async def delete(self, *keys: str) -> None:
        """Remove objects; unknown keys are fine. One request for each thousand.

        Raises `OSError` when S3 could not remove some of them.
        """
        for i in range(0, len(keys), DELETE_BATCH):
            batch = [{"Key": key} for key in keys[i : i + DELETE_BATCH]]
            answer = await clients.call(
                self.client.delete_objects,
                Bucket=self.name,
                Delete={"Objects": batch, "Quiet": True},
            )
            if answer.get("Errors"):
                code = answer["Errors"][0].get("Code")
                raise OSError(f"{len(answer['Errors'])} objects were not deleted: {code}")

    async def delete_prefix(self, prefix: str) -> None:
        """Remove all objects under a prefix. Two requests for each thousand."""
        while True:
            page = await clients.call(
                self.client.list_objects_v2,
                Bucket=self.name,
                Prefix=prefix,
                MaxKeys=DELETE_BATCH,
            )
            keys = [entry["Key"] for entry in page.get("Contents", [])]
            await self.delete(*keys)
            if not page.get("IsTruncated"):
                return

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[tuple[str, float]]:
        """The keys under a prefix, each with its last change (Unix time), in order: those that come
        after `after`.

        One request for each thousand.
        """
        more: dict[str, Any] = {"StartAfter": after} if after else {}
        while True:
            page = await clients.call(
                self.client.list_objects_v2, Bucket=self.name, Prefix=prefix, **more
            )
            for entry in page.get("Contents", []):
                yield entry["Key"], entry["LastModified"].timestamp()
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def sign_get(self, key: str, draft: int | None = None, save_as: str | None = None) -> str:
        """A link to an object, valid for `LINK_SECONDS`. Signed locally, without a request, but see
        `functions.aws.owner_sessions` for both.

        `draft` makes the links to the drafts of an image differ, because a page does not load the
        same link again. With `save_as` a browser saves the object under this name.
        """
        params: dict[str, Any] = {"Bucket": self.name, "Key": key}
        if draft is not None:
            params["ResponseContentDisposition"] = f'inline; filename="draft-{draft}"'
        elif save_as is not None:
            name = quote(save_as, safe="")
            params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{name}"
        url: str = self.client.generate_presigned_url(
            "get_object", Params=params, ExpiresIn=LINK_SECONDS
        )
        return url

    def key_of(self, url: str) -> str | None:
        """The key in a signed link to this bucket; `None` for any other link."""
        if "X-Amz-Signature=" not in url:
            return None
        parts = urlsplit(url)
        path = parts.path.lstrip("/")
        if (parts.hostname or "").startswith(f"{self.name}."):
            return path
        in_path = f"{self.name}/"
        return path.removeprefix(in_path) if path.startswith(in_path) else None

    def sign_put(self, key: str, content_type: str, size: int) -> SignedPut:
        """A link for one `PUT` of exactly `size` bytes of `content_type`, valid for
        `UPLOAD_SECONDS`. Signed as in `sign_get`.

        Length, type and `If-None-Match: *` are signed headers, so S3 answers 403 to a request
        without them. (botocore signs the condition in version 4 only:
        https://github.com/boto/boto3/issues/4367.) While the key has an object, S3
        answers 412 (`PreconditionFailed`) and keeps it; of several uploads the first to finish
        wins. 409 (`ConditionalRequestConflict`) means that the object was deleted meanwhile, and
        that the upload may be sent again. The signer needs `s3:PutObject` only. See
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.
        """
        url: str = self.client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.name,
                "Key": key,
                "ContentType": content_type,
                "ContentLength": size,
                "IfNoneMatch": "*",
            },
            ExpiresIn=UPLOAD_SECONDS,
        )
        return SignedPut(url, {"Content-Type": content_type, "If-None-Match": "*"})
