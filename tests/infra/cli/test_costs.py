"""The pages about the stack say what the stack is."""

import json
from uuid import uuid4

import pytest

from infra.cli import costs, settings_table
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


def test_the_table_of_settings_is_the_models():
    page = settings_table.PAGE.read_text()
    assert settings_table.with_table(page) == page, "run python -m infra.cli.settings_table"


def test_the_cost_page_is_the_templates(synth):
    variants = {name: resources(synth(**typed)) for name, typed in costs.SETTINGS.items()}
    made = costs.page(resources(synth()), variants)
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
    assert (costs.TURN.reads, costs.TURN.writes) == (reads, writes), "change infra.cli.costs.TURN"


def test_the_bench_counts_dollars_as_the_cost_page_does():
    from tests.bench import store as bench

    assert costs.PRICES["read"].dollars == pytest.approx(bench.DOLLARS_A_MILLION_READS / 1e6)
    assert costs.PRICES["write"].dollars == pytest.approx(bench.DOLLARS_A_MILLION_WRITES / 1e6)


def test_every_price_says_where_it_was_read_or_that_it_was_not():
    page = costs.PAGE.read_text()
    for price in costs.PRICES.values():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {price.unit} |"))
        assert price.page in row
        assert "from memory" in row if price.read is None else price.read.when in row


def test_nothing_idle_is_billed_by_the_hour(dev):
    kinds = {resource["Type"] for resource in dev.resources.values()}
    assert [kind for kind in kinds if kind.startswith(BILLED_BY_THE_HOUR)] == []
    assert "ProvisionedThroughput" not in json.dumps(dev.body)
    assert "ProvisionedConcurrency" not in json.dumps(dev.body)
    for function in dev.of_type("AWS::Lambda::Function").values():
        assert "VpcConfig" not in function["Properties"]


def test_idle_costs_are_counted_from_the_template(dev):
    lines = {line.price: line for line in costs.idle(dev.resources)}
    assert lines["secret"].amount == len(dev.of_type("AWS::SecretsManager::Secret"))
    # Eleven alarms, two of which watch two metrics each.
    assert lines["alarm"].amount == 13
    assert "snapshot" not in lines


def test_a_snapshot_is_billed_by_its_memory(synth):
    lines = {line.price: line for line in costs.idle(resources(synth(snapStart="true")))}
    assert 6.5 < lines["snapshot"].dollars - 1.0 * costs.MONTH * 0.0000015046 < 7.0


def test_a_turn_uses_the_functions_own_memory_and_price(synth):
    def billed(**typed):
        return costs.turns(resources(synth(**typed)))[0]

    assert billed(chatMemory="3538").amount == 2 * billed().amount
    assert billed(architecture="x86_64").price == "x86_64"
