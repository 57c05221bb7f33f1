"""Computes `docs/costs.md` from the synthesized template: `python -m infra.cli.costs`.

Prices are AWS's list prices for us-east-1, on demand, without taxes. What a turn asks
of the table is what `python -m tests.bench.store` measures on DynamoDB Local; a test
holds the two together.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "costs.md"
MONTH = 30 * 24 * 3600
GB = 1024

Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Read:
    """Where a price was read, and how old what was read is.

    AWS's own pages show most of their numbers by script, so that a stored copy of them has
    none: the number then is from somebody who wrote it down, with a date.
    """

    where: str
    when: str


@dataclass(frozen=True)
class Price:
    """Dollars for one unit, what of it is free each month, AWS's page, and where it was read."""

    dollars: float
    unit: str
    page: str
    read: Read
    free: float = 0.0


LAMBDA = "https://aws.amazon.com/lambda/pricing/"
DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
CLOUDFRONT = "https://aws.amazon.com/cloudfront/pricing/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
S3 = "https://aws.amazon.com/s3/pricing/"
SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
KMS = "https://aws.amazon.com/kms/pricing/"
WAF = "https://aws.amazon.com/waf/pricing/"
ROUTE53 = "https://aws.amazon.com/route53/pricing/"

_COPIES = "https://raw.githubusercontent.com/api-evangelist"
_SECONDS = Read("https://cloudchipr.com/blog/aws-lambda-pricing", "2024")
_REQUESTS = Read(f"{_COPIES}/aws-lambda/main/plans/aws-lambda-plans-pricing.yml", "2026-09-20")
_SNAPSHOTS = Read("https://awsnegotiations.com/blog/lambda-snapstart-cost-impact/", "2026-05")
_UNITS = Read("https://airbyte.com/data-engineering-resources/dynamodb-pricing", "2025-07-21")
_STORAGE = Read(
    "https://gist.github.com/bahrmichael/94e01d26dc21b9b7156d7d27b1b9e16e", "2020-12-27"
)
_RECOVERY = Read("https://finops.com.py/services/dynamodb/backups", "undated")
_FILES = Read(
    "https://devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples",
    "undated",
)
_EDGE = Read(CLOUDFRONT, "undated copy of AWS's page")
_EDGE_REQUESTS = Read("https://wring.co/blog/aws-cloudfront-pricing-guide", "undated")
_METRICS = Read("https://signoz.io/guides/cloudwatch-pricing", "2026-02-15")
_WATCHING = Read(
    "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/",
    "2026-06-13",
)
_ALARMS = Read("https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm", "undated")
_SECRETS = Read(
    f"{_COPIES}/amazon-secrets-manager/main/plans/amazon-secrets-manager-plans-pricing.yml",
    "2026-09-20",
)
_KEYS = Read("https://cloudburn.io/blog/aws-kms-pricing", "2026-03-14")
_WAF = Read("https://awsnegotiations.com/waf-pricing-strategy.html", "2026")
_ZONES = Read(
    f"{_COPIES}/amazon-route53-resolver/main/plans/amazon-route53-resolver-plans-pricing.yml",
    "2026-09-20",
)

PRICES = {
    "arm64": Price(0.0000133334, "GB-second on arm64", LAMBDA, _SECONDS, 400_000),
    "x86_64": Price(0.0000166667, "GB-second on x86_64", LAMBDA, _SECONDS, 400_000),
    "invocation": Price(0.20 / 1e6, "Lambda request", LAMBDA, _REQUESTS, 1_000_000),
    "snapshot": Price(0.0000015046, "GB-second of a cached SnapStart snapshot", LAMBDA, _SNAPSHOTS),
    "restore": Price(0.0001397998, "GB restored from a snapshot", LAMBDA, _SNAPSHOTS),
    "read": Price(0.125 / 1e6, "read request unit", DYNAMODB, _UNITS),
    "write": Price(0.625 / 1e6, "write request unit", DYNAMODB, _UNITS),
    "table": Price(0.25, "GB-month in the table", DYNAMODB, _STORAGE, 25),
    "recovery": Price(0.20, "GB-month of point-in-time recovery", DYNAMODB, _RECOVERY),
    "files": Price(0.023, "GB-month in S3", S3, _FILES),
    "request": Price(
        0.01 / 1e4, "HTTPS request at CloudFront", CLOUDFRONT, _EDGE_REQUESTS, 10_000_000
    ),
    "transfer": Price(0.085, "GB from CloudFront to the internet", CLOUDFRONT, _EDGE, 1024),
    "logs": Price(0.50, "GB of logs taken in", CLOUDWATCH, _WATCHING, 5),
    "alarm": Price(0.10, "metric of an alarm a month", CLOUDWATCH, _ALARMS, 10),
    "metric": Price(0.30, "metric of our own a month, while it is sent", CLOUDWATCH, _METRICS, 10),
    "dashboard": Price(3.00, "dashboard a month", CLOUDWATCH, _WATCHING, 3),
    "secret": Price(0.40, "secret a month", SECRETS, _SECRETS),
    "secret-read": Price(0.05 / 1e4, "secret read", SECRETS, _SECRETS),
    "key": Price(1.00, "KMS key a month", KMS, _KEYS),
    "acl": Price(5.00, "web ACL a month", WAF, _WAF),
    "rule": Price(1.00, "rule of a web ACL a month", WAF, _WAF),
    "inspected": Price(0.60 / 1e6, "request that WAF looks at", WAF, _WAF),
    "zone": Price(0.50, "Route 53 zone a month", ROUTE53, _ZONES),
}

MODEL_PAGE = "https://openai.com/api/pricing/"
MODEL_READ = Read("https://ai.cloudprice.net/api/v1/models/openai-gpt-5-mini/pricing", "2026-06-15")


@dataclass(frozen=True)
class Turn:
    """One message and its answer.

    Reads and writes are measured; the rest is assumed and stands in the page.
    """

    seconds: float = 5.5
    reads: float = 11
    writes: float = 31
    kilobytes_out: float = 40
    kilobytes_logged: float = 2
    cold_share: float = 0.05
    cold_seconds: float = 3.0
    input_tokens: int = 3_000
    output_tokens: int = 400


TURN = Turn()
TURNS = 1_000


@dataclass(frozen=True)
class Line:
    """One line of a bill."""

    what: str
    amount: float
    price: str

    @property
    def dollars(self) -> float:
        return self.amount * PRICES[self.price].dollars

    @property
    def beyond_free(self) -> float:
        price = PRICES[self.price]
        return max(0.0, self.amount - price.free) * price.dollars


def idle(resources: Resources) -> list[Line]:
    """What a month costs in which nobody comes."""
    lines = [
        Line("Secrets", _count(resources, "AWS::SecretsManager::Secret"), "secret"),
        Line("Metrics that alarms watch", _alarm_metrics(resources), "alarm"),
        Line("Dashboard", _count(resources, "AWS::CloudWatch::Dashboard"), "dashboard"),
        Line("KMS keys", _count(resources, "AWS::KMS::Key"), "key"),
        Line("Web ACLs", _count(resources, "AWS::WAFv2::WebACL"), "acl"),
        Line("Rules of web ACLs", _rules(resources), "rule"),
        Line("Snapshots", _snapshots(resources) * MONTH, "snapshot"),
    ]
    return [line for line in lines if line.amount]


def turns(resources: Resources, number: int = TURNS) -> list[Line]:
    """What `number` turns cost on top."""
    chat = function(resources, "Chat")
    memory = chat["MemorySize"] / GB
    cold = TURN.cold_share * TURN.cold_seconds
    return [
        Line(
            "Streaming function",
            number * memory * (TURN.seconds + cold),
            chat["Architectures"][0],
        ),
        Line("Invocations", number, "invocation"),
        Line("Table, reads", number * TURN.reads, "read"),
        Line("Table, writes", number * TURN.writes, "write"),
        Line("CloudFront, requests", number, "request"),
        Line("CloudFront, transfer", number * TURN.kilobytes_out / 1e6, "transfer"),
        Line("Logs", number * TURN.kilobytes_logged / 1e6, "logs"),
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
    # The main stack's alarm on CloudFront exists in us-east-1 only; elsewhere it has its own stack.
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


def _snapshots(resources: Resources) -> float:
    """GB of memory of the published versions that are kept as snapshots."""
    return sum(
        float(resource["Properties"]["MemorySize"]) / GB
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Function" and "SnapStart" in resource["Properties"]
    )


def total(lines: list[Line]) -> float:
    return sum(line.dollars for line in lines)


SETTINGS = {
    "provider=openai (or any but demo)": {"provider": "openai"},
    "snapStart=true": {"snapStart": "true"},
    "kms=true": {"kms": "true"},
    "waf=true": {"waf": "true", "region": "us-east-1"},
    "edgeAlarms=true, outside us-east-1": {"edgeAlarms": "true", "region": "eu-central-1"},
    "dashboard=false": {"dashboard": "false"},
    "deletionProtection=true": {"deletionProtection": "true"},
    "architecture=x86_64": {"architecture": "x86_64"},
}


def page(default: Resources, variants: dict[str, Resources]) -> str:
    """The whole page. `variants` are the resources of all stacks with one setting each."""
    idle_lines, turn_lines = idle(default), turns(default)
    prices = StackSettings()
    tokens = TURN.input_tokens * prices.input_token_price
    tokens = (tokens + TURN.output_tokens * prices.output_token_price) / 1e6 * TURNS
    memory = function(default, "Chat")["MemorySize"]
    rows = [
        "# What it costs",
        "",
        (
            "Made by `python -m infra.cli.costs` from the synthesized template; a test fails when this "
            "page is not what the template says. List prices of us-east-1, on demand, without "
            "taxes. The last table says where each was read, and when: nobody has compared them "
            "with a bill yet, so look at AWS's page before you rely on one."
        ),
        "",
        "## A month in which nobody comes",
        "",
        (
            "Nothing is billed by the hour for waiting: no server, no NAT gateway, no provisioned "
            "capacity. What is left is billed by the month."
        ),
        "",
        "| | amount | list price | beyond AWS's free amounts |",
        "| --- | ---: | ---: | ---: |",
        *(_row(line) for line in idle_lines),
        (
            f"| **together** | | **{_money(total(idle_lines))}** "
            f"| **{_money(sum(line.beyond_free for line in idle_lines))}** |"
        ),
        "",
        (
            "The free amounts (ten alarm metrics, three dashboards) are an account's, shared by "
            "everything in it. What is stored comes on top: "
            f"{_money(PRICES['table'].dollars)} and {_money(PRICES['recovery'].dollars)} for "
            f"recovery "
            f"a GB-month in the table, {_money(PRICES['files'].dollars)} in S3. In a month with "
            f"messages, {_count(default, 'AWS::Logs::MetricFilter')} metrics read from the "
            f"logs are "
            f"{_money(PRICES['metric'].dollars)} each at list price, by the hours that have any."
        ),
        "",
        f"## {TURNS:,} turns",
        "",
        (
            f"A turn is a message and its answer: {TURN.seconds:g} s of the streaming function at "
            f"{memory:,} MB (it waits for the model most of the time, and waiting is billed), "
            f"{TURN.reads:g} read units and {TURN.writes:g} write units (measured on AWS's "
            f"own engine, "
            "`python -m tests.bench.store`, in a thread of 20 items, with quotas on), "
            f"{TURN.kilobytes_out:g} kB to the page and {TURN.kilobytes_logged:g} kB of logs. "
            f"One turn "
            f"in {round(1 / TURN.cold_share)} starts cold, for {TURN.cold_seconds:g} s. The "
            f"seconds, "
            "the kilobytes and the share of cold starts are assumptions: put in your own."
        ),
        "",
        "| | amount | list price |",
        "| --- | ---: | ---: |",
        *(_row(line, free=False) for line in turn_lines),
        f"| **together** | | **{_money(total(turn_lines))}** |",
        "",
        (
            f"The model is what costs: {TURN.input_tokens:,} tokens in and "
            f"{TURN.output_tokens} out "
            f"a turn, at {prices.input_token_price:.2f} and {prices.output_token_price:.2f} "
            "dollars a million (the defaults of `inputTokenPrice` and `outputTokenPrice`, those "
            f"of gpt-5-mini as [read]({MODEL_READ.where}) on {MODEL_READ.when}; "
            f"[OpenAI's page]({MODEL_PAGE})), "
            f"are {_money(tokens)} for {TURNS:,} turns, paid to its provider."
        ),
        "",
        "## What each setting adds to a month",
        "",
        "| setting | idle, at list price | 1,000 turns |",
        "| --- | ---: | ---: |",
    ]
    for name, resources in variants.items():
        more = total(idle(resources)) - total(idle_lines)
        busy = total(turns(resources)) - total(turn_lines)
        rows.append(f"| `{name}` | {_signed(more)} | {_signed(busy)} |")
    rows += [
        "",
        (
            "Besides: a start from a snapshot is "
            f"{_money(PRICES['restore'].dollars * memory / GB)}; WAF looks at 1,000 requests for "
            f"{_money(PRICES['inspected'].dollars * 1000)}; a key of your own is turned over each "
            f"year, which adds {_money(PRICES['key'].dollars)} a month each "
            "time, and its uses are billed beyond 20,000 a month; a function that is in use "
            "reads its secrets every five minutes, at "
            f"{_money(PRICES['secret-read'].dollars * 1000)} for 1,000 times; reserved "
            "concurrency and a certificate cost nothing; a Route 53 zone of your own is "
            f"{_money(PRICES['zone'].dollars)} a month."
        ),
        "",
        "## Prices",
        "",
        (
            "AWS's page is what counts. It shows most of its numbers by script and could not be "
            "read from where this was written, so each number is from somebody who wrote it "
            "down."
        ),
        "",
        "| unit | dollars | free each month | AWS's page | read |",
        "| --- | ---: | ---: | --- | --- |",
        *(_price(price) for price in PRICES.values()),
        "",
    ]
    return "\n".join(rows)


def _row(line: Line, *, free: bool = True) -> str:
    amount = f"{line.amount:,.3f}".rstrip("0").rstrip(".")
    cells = [f"{line.what} ({PRICES[line.price].unit})", amount, _money(line.dollars)]
    if free:
        cells.append(_money(line.beyond_free))
    return f"| {' | '.join(cells)} |"


def _price(price: Price) -> str:
    dollars = f"{price.dollars:.10f}".rstrip("0").rstrip(".")
    free = f"{price.free:,.0f}" if price.free else ""
    page = f"[{price.page.removeprefix('https://aws.amazon.com/').rstrip('/')}]({price.page})"
    read = f"[{urlsplit(price.read.where).hostname}]({price.read.where}), {price.read.when}"
    return f"| {price.unit} | {dollars} | {free} | {page} | {read} |"


def _money(dollars: float) -> str:
    return f"${dollars:.2f}" if dollars >= 0.095 or not dollars else f"${dollars:.2g}"  # noqa: PLR2004


def _signed(dollars: float) -> str:
    if abs(dollars) < 1e-9:  # noqa: PLR2004
        return "nothing"
    return f"{'+' if dollars > 0 else '-'}{_money(abs(dollars))}"


def resources_with(typed: dict[str, str]) -> Resources:
    """The resources of all stacks of a stage with these settings, from placeholder code."""
    from aws_cdk import App  # noqa: PLC0415 - takes seconds

    from infra.app import add_stage  # noqa: PLC0415
    from infra.stack.settings import read_settings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch) / "page"
        built.mkdir()
        (built / "index.html").write_text("<!doctype html>")
        app = App(outdir=str(Path(scratch) / "cdk.out"))
        add_stage(
            app, read_settings(typed), bundle=lambda _: built, page=built, account="123456789012"
        )
        return merged([stack.template for stack in app.synth().stacks])


def merged(templates: list[dict[str, Any]]) -> Resources:
    """The resources of several stacks together."""
    return {
        f"{name}{number or ''}": resource
        for number, template in enumerate(templates)
        for name, resource in template.get("Resources", {}).items()
    }


def main() -> None:
    variants = {name: resources_with(typed) for name, typed in SETTINGS.items()}
    PAGE.write_text(page(resources_with({}), variants))
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written.\n")


if __name__ == "__main__":
    main()
