"""The page about costs counts what the template is billed for."""

import json
from uuid import uuid4

import pytest

from infra.cli import billing, costs
from tests.support.dynamodb_local import engine

BILLED_BY_THE_HOUR = (
    "AWS::EC2::",
    "AWS::ECS::",
    "AWS::RDS::",
    "AWS::ElastiCache::",
    "AWS::OpenSearch",
    "AWS::ElasticLoadBalancing",
    "AWS::WAFv2::",
    "AWS::KMS::",
    "AWS::Route53::HostedZone",
)


def resources(templates):
    return costs.merged([template.body for template in templates.values()])


def test_the_cost_page_is_the_templates(synth):
    variants = {name: resources(synth(**typed)) for name, typed in costs.SETTINGS.items()}
    made = costs.page(resources(synth()), variants, billing.read_prices())
    assert costs.PAGE.read_text() == made, "run python -m infra.cli.costs"


@pytest.mark.skipif(engine.why_not() is not None, reason=str(engine.why_not()))
async def test_a_turn_asks_of_the_table_what_the_bench_measures():
    from functions.store import DynamoDBStore, create_table
    from tests.bench import store as bench
    from tests.support.dynamodb_local.meter import metered

    reads = writes = 0.0
    with bench.backend() as (_, endpoint):
        client, table = bench.connect(endpoint), f"costs-{uuid4().hex}"
        create_table(client, table)
        store = DynamoDBStore(table, client=client)
        await bench.furnish(store, "thr_1")
        with metered(client) as meter:
            meter.calibrate(client, table)
            for _, phase in bench.Turn(store).phases:
                meter.clear()
                await phase()
                reads += meter.read_units
                writes += meter.write_units
    measured = (reads, writes)
    assert (billing.TURN.reads, billing.TURN.writes) == measured, "change infra.cli.billing.TURN"


def test_every_unit_links_the_page_of_aws_with_its_price():
    page = costs.PAGE.read_text()
    for name, unit in billing.UNITS.items():
        (row,) = (line for line in page.splitlines() if f"| `{name}` |" in line)
        assert row.startswith(f"| {unit.words} |")
        assert f"]({unit.page})" in row
        assert unit.page.startswith("https://aws.amazon.com/")


def test_a_price_that_the_owner_fills_in_becomes_dollars(dev, tmp_path):
    def page(text):
        file = tmp_path / "prices.toml"
        file.write_text(text)
        return costs.page(dev.resources, {}, billing.read_prices(file)).splitlines()

    (turns,) = (line for line in page("write = 0.5") if line.startswith("| Table, writes |"))
    assert turns.endswith("| 43,000 | write request unit | $21500.00 |")
    assert "**together**" not in "".join(page("write = 0.5"))
    idle = "secret = 2\nalarm = 1\ndashboard = 3"
    assert "| **together** | | | **$26.00** |" in page(idle)  # 1 secret, 21 metrics, 1 dashboard


def test_a_unit_without_a_price_is_shown_without_dollars(dev):
    page = costs.page(dev.resources, {}, {})
    bills = page[: page.index("The model costs most")]
    assert "| 43,000 | write request unit |  |" in bills
    assert "$" not in bills


def test_a_price_of_no_unit_is_an_error_that_names_it(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text("unicorn = 1.0")
    with pytest.raises(ValueError, match=r"prices\.toml has a price for unicorn: no such unit"):
        billing.read_prices(file)


def test_nothing_idle_is_billed_by_the_hour(dev):
    kinds = {resource["Type"] for resource in dev.resources.values()}
    assert [kind for kind in kinds if kind.startswith(BILLED_BY_THE_HOUR)] == []
    assert "ProvisionedThroughput" not in json.dumps(dev.body)
    assert "ProvisionedConcurrency" not in json.dumps(dev.body)
    for function in dev.of_type("AWS::Lambda::Function").values():
        assert "VpcConfig" not in function["Properties"]


def test_idle_costs_are_counted_from_the_template(dev):
    lines = {line.unit: line for line in billing.idle(dev.resources)}
    assert lines["secret"].amount == len(dev.of_type("AWS::SecretsManager::Secret"))
    # Nineteen alarms, two of which watch two metrics each.
    assert lines["alarm"].amount == 21
    assert "snapshot" not in lines


def test_a_snapshot_is_billed_by_its_memory(synth):
    lines = {line.unit: line for line in billing.idle(resources(synth(snapStart="true")))}
    assert lines["snapshot"].amount == (1769 + 1024) / 1024 * billing.MONTH


def test_a_turn_uses_the_functions_own_memory_and_price(synth):
    def billed(**typed):
        return billing.turns(resources(synth(**typed)))[0]

    assert billed(chatMemory="3538").amount == 2 * billed().amount
    assert billed(architecture="x86_64").unit == "x86_64"
