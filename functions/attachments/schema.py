"""The attachments bucket as plain data, for the CDK stack and for `create_bucket`.

| prefix | holds | until |
| --- | --- | --- |
| `uploads/<user>/<attachment>` | an upload that was not sent yet | one day (lifecycle) |
| `uploads/voice/<user>/<random>` | a recording | it is transcribed, or the same day |
| `files/<user>/<attachment>` | a sent file, checked and copied | its thread is deleted |
| `images/<user>/<thread>/<image>` | generated images | their thread is deleted |
| `spill/<user>/<thread>/<item>/<hash>` | a body too large for the table | a new body replaces it |

Every part of a key is a digest or random, so no key contains text that a user chose.
"""

from typing import Any, Final

from ..aws.keys import digest

UPLOADS: Final = "uploads/"
VOICE: Final = f"{UPLOADS}voice/"
FILES: Final = "files/"
IMAGES: Final = "images/"
SPILL: Final = "spill/"

PREVIEWED: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Images that every browser and model can show; other types are plain files."""

TEXT_EXTENSIONS: Final = (
    ".txt", ".md", ".csv", ".tsv", ".log", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini",
    ".xml", ".html", ".css", ".js", ".mjs", ".jsx", ".ts", ".tsx", ".vue", ".py", ".ipynb",
    ".java", ".kt", ".c", ".h", ".cpp", ".cs", ".go", ".rs", ".rb", ".php", ".swift", ".scala",
    ".r", ".lua", ".pl", ".sh", ".ps1", ".bat", ".sql", ".graphql", ".tf", ".diff", ".patch",
    ".tex", ".rst", ".srt", ".vtt", ".ics", ".eml", ".svg",
)  # fmt: skip
"""A file with such a name is text, unless it is announced as another type that is taken."""

WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

KINDS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "image/png": ("PNG", (".png",)),
    "image/jpeg": ("JPEG", (".jpg", ".jpeg")),
    "image/gif": ("GIF", (".gif",)),
    "image/webp": ("WebP", (".webp",)),
    "application/pdf": ("PDF", (".pdf",)),
    WORD: ("Word (.docx)", (".docx",)),
    EXCEL: ("Excel (.xlsx)", (".xlsx",)),
    "text/*": ("text", TEXT_EXTENSIONS),
    "application/json": ("JSON", (".json",)),
}
"""What people call files of a type, and how their names end: for refusals and the page's picker."""


def named(mime_type: str) -> str:
    """What people call files of this type."""
    return KINDS[mime_type][0] if mime_type in KINDS else mime_type


def type_by_name(extension: str) -> str | None:
    """The type of the files whose names end like this; `None` when it is not known."""
    if extension in TEXT_EXTENSIONS:
        return "text/plain"
    return next((kind for kind, (_, endings) in KINDS.items() if extension in endings), None)


UNSENT_DAYS: Final = 1
"""Days until an unsent upload is removed (S3 rounds up to midnight UTC)."""
MULTIPART_DAYS: Final = 1
VERSION_DAYS: Final = 1
"""Days that old versions are kept where the stack asks for none. A bucket has some only when it
once kept versions, which S3 can suspend and not turn off:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
"""

LIFECYCLE_RULES: Final[list[dict[str, Any]]] = [
    {
        "ID": "unsent-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": UPLOADS},
        "Expiration": {"Days": UNSENT_DAYS},
        "NoncurrentVersionExpiration": {"NoncurrentDays": UNSENT_DAYS},
    },
    {
        "ID": "aborted-multiparts",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": MULTIPART_DAYS},
    },
    {
        "ID": "old-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "NoncurrentVersionExpiration": {"NoncurrentDays": VERSION_DAYS},
    },
]

CORS_METHODS: Final = ["GET", "HEAD", "PUT"]
CORS_HEADERS: Final = ["content-type", "if-none-match"]
"""Request headers that the page sends with an upload; both are signed. A preflight
allows these and no others: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html
"""
CORS_MAX_AGE_SECONDS: Final = 3000


# The arguments below are key parts (`functions.aws.keys.part`), not ids, so that the key of a row
# is enough to find its objects.


def upload_key(user: str, attachment: str) -> str:
    return f"{UPLOADS}{digest(user)}/{digest(attachment)}"


def voice_prefix(user: str) -> str:
    return f"{VOICE}{digest(user)}/"


def file_key(user: str, attachment: str) -> str:
    return f"{FILES}{digest(user)}/{digest(attachment)}"


def image_prefix(user: str, thread: str) -> str:
    return f"{IMAGES}{digest(user)}/{digest(thread)}/"


def image_key(user: str, thread: str, image: str) -> str:
    return f"{image_prefix(user, thread)}{digest(image)}"


def spill_prefix(user: str, thread: str, item: str) -> str:
    return f"{SPILL}{digest(user)}/{digest(thread)}/{digest(item)}/"


def cors_rules(origins: list[str]) -> list[dict[str, Any]]:
    """`PutBucketCors` rules for pages on `origins` (exact, such as `https://chat.example`)."""
    return [
        {
            "AllowedMethods": CORS_METHODS,
            "AllowedOrigins": origins,
            "AllowedHeaders": CORS_HEADERS,
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": CORS_MAX_AGE_SECONDS,
        }
    ]


def create_bucket(client: Any, bucket: str, origins: list[str] | None = None) -> None:
    """Create the bucket with its lifecycle and CORS rules, for a laptop, a test or a script.

    `client` is boto3's S3 client. `origins` defaults to any origin, which is for local use only.
    Synchronous.
    """
    region = client.meta.region_name
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": LIFECYCLE_RULES}
    )
    client.put_bucket_cors(
        Bucket=bucket, CORSConfiguration={"CORSRules": cors_rules(origins or ["*"])}
    )
