"""What lies in us-east-1 for CloudFront."""

from tests.infra.stack.variants import EVERYTHING


def test_the_web_acl_has_a_rate_rule_and_lets_chat_bodies_through(bare):
    from infra.stack.edge import BODY_RULES, WebAcl

    acl = bare(lambda s: WebAcl(s, "W", rate_limit=500)).only("AWS::WAFv2::WebACL")
    assert acl["Scope"] == "CLOUDFRONT"
    rate, common = acl["Rules"]
    assert rate["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "Limit": 500}
    assert rate["Action"] == {"Block": {}}
    group = common["Statement"]["ManagedRuleGroupStatement"]
    assert (group["VendorName"], group["Name"]) == ("AWS", "AWSManagedRulesCommonRuleSet")
    assert {o["Name"] for o in group["RuleActionOverrides"]} == set(BODY_RULES)
    assert all(o["ActionToUse"] == {"Count": {}} for o in group["RuleActionOverrides"])


def test_a_stack_in_us_east_1_is_made_only_when_asked_for(synth):
    assert set(synth()) == {"chatkit-dev"}
    assert set(synth(**EVERYTHING)) == {
        "chatkit-prod",
        "chatkit-prod-edge",
        "chatkit-prod-edge-alarms",
    }
