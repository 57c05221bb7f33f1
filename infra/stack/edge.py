"""Stacks in us-east-1 for what CloudFront needs there. They are made only when asked for."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_sns as sns
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.stack.alarms import CLOUDFRONT_REGION, alarm_topic, edge_errors

# These rules only count requests and block none: people send code, paths and markup to a chat,
# and bodies over the size rule's 8 KB.
BODY_RULES = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
)


class WebAcl(Construct):
    """A limit for each IP address, and AWS's common rules."""

    def __init__(self, scope: Construct, construct_id: str, *, rate_limit: int) -> None:
        super().__init__(scope, construct_id)
        self.acl = waf.CfnWebACL(
            self,
            "Acl",
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("all"),
            rules=[
                waf.CfnWebACL.RuleProperty(
                    name="rate",
                    priority=0,
                    action=waf.CfnWebACL.RuleActionProperty(block={}),
                    statement=waf.CfnWebACL.StatementProperty(
                        rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                            limit=rate_limit, aggregate_key_type="IP"
                        )
                    ),
                    visibility_config=_visible("rate"),
                ),
                waf.CfnWebACL.RuleProperty(
                    name="common",
                    priority=1,
                    override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
                    statement=waf.CfnWebACL.StatementProperty(
                        managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                            vendor_name="AWS",
                            name="AWSManagedRulesCommonRuleSet",
                            rule_action_overrides=[
                                waf.CfnWebACL.RuleActionOverrideProperty(
                                    name=name,
                                    action_to_use=waf.CfnWebACL.RuleActionProperty(count={}),
                                )
                                for name in BODY_RULES
                            ],
                        )
                    ),
                    visibility_config=_visible("common"),
                ),
            ],
        )


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


class EdgeStack(Stack):
    """The web ACL and the certificate, which the distribution refers to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        waf_rate_limit: int | None,
        domain_name: str | None,
        hosted_zone: str | None,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.web_acl_arn: str | None = None
        if waf_rate_limit:
            self.web_acl_arn = WebAcl(self, "Waf", rate_limit=waf_rate_limit).acl.attr_arn
        self.certificate: acm.ICertificate | None = None
        if domain_name and hosted_zone:
            self.certificate = acm.Certificate(
                self,
                "Certificate",
                domain_name=domain_name,
                validation=acm.CertificateValidation.from_dns(zone(self, hosted_zone)),
            )


class EdgeAlarms(Stack):
    """The alarm on CloudFront's errors, for a stage in another region."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        distribution_id: str,
        email: str | None,
        topic_arn: str | None,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        # An alarm can only notify a topic of its own region.
        here = topic_arn if topic_arn and f":{CLOUDFRONT_REGION}:" in topic_arn else None
        topic: sns.ITopic | None = alarm_topic(self, email=email, topic_arn=here)
        self.alarm: cloudwatch.Alarm = edge_errors(self, distribution_id, topic)


def zone(scope: Construct, hosted_zone: str) -> route53.IHostedZone:
    """The Route 53 zone of `<id>/<name>`, without a lookup."""
    zone_id, _, name = hosted_zone.partition("/")
    return route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id=zone_id, zone_name=name
    )
