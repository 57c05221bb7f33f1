"""Counts the units that AWS bills for a template: in an idle month, for each turn, and for
documents that the assistant knows.

`python -m tests.bench.store` measures on DynamoDB Local what a turn reads and writes. A test
compares its result with `TURN`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PRICES = Path(__file__).resolve().parents[1] / "prices.toml"
"""Dollars for a unit by its name, as far as the owner of a deployment has filled them in."""

MONTH = 30 * 24 * 3600
GB = 1024

Resources = Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Unit:
    """One thing that AWS bills, and AWS's page with its price."""

    words: str
    page: str


_PAGES = "https://aws.amazon.com"
LAMBDA = f"{_PAGES}/lambda/pricing/"
DYNAMODB = f"{_PAGES}/dynamodb/pricing/on-demand/"
CLOUDFRONT = f"{_PAGES}/cloudfront/pricing/"
CLOUDWATCH = f"{_PAGES}/cloudwatch/pricing/"
S3 = f"{_PAGES}/s3/pricing/"
SECRETS = f"{_PAGES}/secrets-manager/pricing/"
KMS = f"{_PAGES}/kms/pricing/"
WAF = f"{_PAGES}/waf/pricing/"
ROUTE53 = f"{_PAGES}/route53/pricing/"
COGNITO = f"{_PAGES}/cognito/pricing/"
SQS = f"{_PAGES}/sqs/pricing/"
EVENTBRIDGE = f"{_PAGES}/eventbridge/pricing/"

UNITS = {
    "arm64": Unit("GB-second on arm64", LAMBDA),
    "x86_64": Unit("GB-second on x86_64", LAMBDA),
    "invocation": Unit("Lambda request", LAMBDA),
    "snapshot": Unit("GB-second of a cached SnapStart snapshot", LAMBDA),
    "restore": Unit("GB restored from a snapshot", LAMBDA),
    "read": Unit("read request unit", DYNAMODB),
    "write": Unit("write request unit", DYNAMODB),
    "table": Unit("GB-month in the table", DYNAMODB),
    "recovery": Unit("GB-month of point-in-time recovery", DYNAMODB),
    "files": Unit("GB-month in S3", S3),
    "vectors": Unit("GB-month in S3 Vectors", S3),
    "vector_put": Unit("GB put into S3 Vectors", S3),
    "vector_query": Unit("query of S3 Vectors", S3),
    "vector_scan": Unit("TB that queries of S3 Vectors process", S3),
    "queue": Unit("SQS request", SQS),
    "event": Unit("event of up to 64 KB on a bus", EVENTBRIDGE),
    "request": Unit("HTTPS request at CloudFront", CLOUDFRONT),
    "edge": Unit("invocation of a CloudFront function", CLOUDFRONT),
    "transfer": Unit("GB from CloudFront to the internet", CLOUDFRONT),
    "logs": Unit("GB of logs", CLOUDWATCH),
    "alarm": Unit("metric of an alarm for a month", CLOUDWATCH),
    "metric": Unit("metric in the logs for a month", CLOUDWATCH),
    "dashboard": Unit("dashboard for a month", CLOUDWATCH),
    "secret": Unit("secret for a month", SECRETS),
    "secret_read": Unit("read of a secret", SECRETS),
    "key": Unit("KMS key for a month", KMS),
    "acl": Unit("web ACL for a month", WAF),
    "rule": Unit("rule of a web ACL for a month", WAF),
    "inspected": Unit("request through a web ACL", WAF),
    "zone": Unit("Route 53 zone for a month", ROUTE53),
    "person": Unit("person who is active in a month, in Cognito's Essentials plan", COGNITO),
}


@dataclass(frozen=True)
class Turn:
    """A message and its answer.

    Reads and writes are measured. The other numbers are assumptions, and the page says so; but
    those of counting are by AWS's rule that a write in a transaction takes two units for each row
    and kilobyte: the mark, the day and a model of up to two kilobytes. Each row that is looked for
    takes a read unit, also when it is not there:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    seconds: float = 5.5
    reads: float = 13
    writes: float = 35
    kilobytes_out: float = 40
    kilobytes_logged: float = 2
    cold_share: float = 0.05
    cold_seconds: float = 3.0
    changes: int = 2
    """Invocations of the changes function, and events: of the message, and of the run's end."""
    changes_seconds: float = 0.1
    counted_reads: float = 2
    counted_writes: float = 8
    input_tokens: int = 3_000
    output_tokens: int = 400


TURN = Turn()
TURNS = 1_000


POLLS: Final = 5 * MONTH / 20
"""Requests in a month for a queue in which nothing is. Lambda asks with five requests that last 20
seconds, and with no fewer where `MaximumConcurrency` is set:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""


@dataclass(frozen=True)
class Passages:
    """Documents that the assistant knows, and the searches in them. All numbers are assumptions,
    and the page says so. A vector is one of OpenAI's `text-embedding-3-small`.
    """

    number: int = 100_000
    tokens: int = 300
    dimension: int = 1536
    text_bytes: int = 1_500
    """Of what is stored with a vector, filters never name, and queries do not process."""
    filterable_bytes: int = 150
    """The key, and what filters name."""
    words_bytes: int = 1_500
    """Of a passage in the file of words and in the objects of passages, compressed."""
    seconds: float = 0.02
    """Of the ingest function, which reads, asks for vectors and stores them."""
    writes: float = 0.2
    """A document of some twenty passages is four writes of the table."""
    searches: int = 1_000
    embedding_price: float = 0.02
    """Dollars for a million tokens: https://openai.com/api/pricing/"""

    @property
    def vector_bytes(self) -> int:
        return self.dimension * 4 + self.filterable_bytes

    @property
    def gigabytes(self) -> float:
        return self.number * (self.vector_bytes + self.text_bytes) / 1e9

    @property
    def embedding_dollars(self) -> float:
        return self.number * self.tokens / 1e6 * self.embedding_price


PASSAGES = Passages()


@dataclass(frozen=True)
class Line:
    """One line of a bill: an amount of a unit of `UNITS`."""

    what: str
    amount: float
    unit: str

    def dollars(self, prices: Mapping[str, float]) -> float | None:
        """None when the unit has no price."""
        return self.amount * prices[self.unit] if self.unit in prices else None


def read_prices(path: Path = PRICES) -> dict[str, float]:
    """The prices that are filled in. Raises `ValueError` for a name that is no unit."""
    prices = tomllib.loads(path.read_text())
    if unknown := prices.keys() - UNITS.keys():
        raise ValueError(f"{path.name} has a price for {', '.join(sorted(unknown))}: no such unit.")
    return {name: float(price) for name, price in prices.items()}


def idle(resources: Resources) -> list[Line]:
    """The bill of a month without visitors."""
    lines = [
        Line("Secrets", _count(resources, "AWS::SecretsManager::Secret"), "secret"),
        Line("Metrics with alarms", _alarm_metrics(resources), "alarm"),
        Line("Dashboard", _count(resources, "AWS::CloudWatch::Dashboard"), "dashboard"),
        Line("KMS keys", _count(resources, "AWS::KMS::Key"), "key"),
        Line("Web ACLs", _count(resources, "AWS::WAFv2::WebACL"), "acl"),
        Line("Rules of web ACLs", _rules(resources), "rule"),
        Line("Snapshots", _snapshots(resources) * MONTH, "snapshot"),
        Line("Asking the queue of documents", _polled(resources) * POLLS, "queue"),
    ]
    return [line for line in lines if line.amount]


def turns(resources: Resources, number: int = TURNS) -> list[Line]:
    """The additional bill of `number` turns."""
    chat = function(resources, "Chat")
    memory = chat["MemorySize"] / GB
    cold = TURN.cold_share * TURN.cold_seconds
    changes = function(resources, "Changes")
    changes_memory = changes["MemorySize"] / GB
    published = any(each["Type"] == "AWS::Events::EventBus" for each in resources.values())
    return [
        Line(
            "Streaming function",
            number * memory * (TURN.seconds + cold),
            chat["Architectures"][0],
        ),
        Line(
            "Changes function",
            number * changes_memory * TURN.changes * TURN.changes_seconds,
            changes["Architectures"][0],
        ),
        Line("Invocations", number * (1 + TURN.changes), "invocation"),
        Line("Table, reads", number * (TURN.reads + TURN.counted_reads), "read"),
        Line("Table, writes", number * (TURN.writes + TURN.counted_writes), "write"),
        Line("CloudFront, requests", number, "request"),
        Line("CloudFront, function", number, "edge"),
        Line("CloudFront, transfer", number * TURN.kilobytes_out / 1e6, "transfer"),
        Line("Logs", number * TURN.kilobytes_logged / 1e6, "logs"),
        *([Line("Domain events", number * TURN.changes, "event")] if published else []),
    ]


def kept_documents() -> list[Line]:
    """The bill of a month for `PASSAGES`, which nobody searches."""
    return [
        Line("Vectors, with their texts", PASSAGES.gigabytes, "vectors"),
        Line("Words and passages", PASSAGES.number * PASSAGES.words_bytes / 1e9, "files"),
    ]


def read_documents(resources: Resources) -> list[Line]:
    """What it costs once to read `PASSAGES` into the index, without their embedding."""
    ingest = function(resources, "Ingest")
    seconds = PASSAGES.number * PASSAGES.seconds
    return [
        Line("Ingest function", ingest["MemorySize"] / GB * seconds, ingest["Architectures"][0]),
        Line("Vectors, stored", PASSAGES.gigabytes, "vector_put"),
        Line("Table, writes", PASSAGES.number * PASSAGES.writes, "write"),
    ]


def searches() -> list[Line]:
    """What the searches in `PASSAGES` cost, besides their turns."""
    processed = PASSAGES.searches * PASSAGES.number * PASSAGES.vector_bytes / 1e12
    return [
        Line("Queries", PASSAGES.searches, "vector_query"),
        Line("Vectors that they process", processed, "vector_scan"),
    ]


def function(resources: Resources, name: str) -> dict[str, Any]:
    """The properties of one of our functions."""
    for key, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function" and key.startswith(f"{name}Function"):
            properties: dict[str, Any] = resource["Properties"]
            return properties
    raise KeyError(name)


def _count(resources: Resources, kind: str) -> int:
    return sum(resource["Type"] == kind for resource in resources.values())


def _alarm_metrics(resources: Resources) -> int:
    # The main stack's alarm on CloudFront exists only in us-east-1. For another region it is in
    # a stack of its own.
    elsewhere = any(name.startswith("EdgeErrors") for name in resources)
    total = 0
    for resource in resources.values():
        if elsewhere and "Condition" in resource:
            continue
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            metrics = resource["Properties"].get("Metrics", [{"MetricStat": {}}])
            total += sum("MetricStat" in metric for metric in metrics)
    return total


def _rules(resources: Resources) -> int:
    return sum(
        len(resource["Properties"]["Rules"])
        for resource in resources.values()
        if resource["Type"] == "AWS::WAFv2::WebACL"
    )


def _polled(resources: Resources) -> int:
    return sum(
        resource["Type"] == "AWS::Lambda::EventSourceMapping"
        and "ScalingConfig" in resource["Properties"]
        for resource in resources.values()
    )


def _snapshots(resources: Resources) -> float:
    """GB of memory of the published versions that AWS keeps as snapshots."""
    return sum(
        float(resource["Properties"]["MemorySize"]) / GB
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Function" and "SnapStart" in resource["Properties"]
    )
