"""The pages about the stack say what the stack is."""

import json

from infra import costs, settings_table

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
    assert settings_table.with_table(page) == page, "run python -m infra.settings_table"


def test_the_cost_page_is_the_templates(synth):
    variants = {name: resources(synth(**typed)) for name, typed in costs.SETTINGS.items()}
    made = costs.page(resources(synth()), variants)
    assert costs.PAGE.read_text() == made, "run python -m infra.costs"


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
