"""The page's own domain: its certificate, and its records in Route 53."""

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from infra.stack.cdn import Domain
from infra.stack.edge import zone
from infra.stack.settings import StackSettings


def page_domain(
    scope: Construct, settings: StackSettings, certificate: acm.ICertificate | None
) -> Domain | None:
    """The domain, if the page has one. `certificate` is that of the stack in us-east-1."""
    if settings.domain_name is None:
        return None
    if settings.certificate_arn:
        certificate = acm.Certificate.from_certificate_arn(
            scope, "Certificate", settings.certificate_arn
        )
    assert certificate is not None  # noqa: S101 - settings ask for one of the two
    return Domain(settings.domain_name, certificate)


def add_records(
    scope: Construct, settings: StackSettings, distribution: cloudfront.IDistribution
) -> None:
    """Let the domain lead to the distribution, where the zone is ours to change."""
    if not (settings.domain_name and settings.hosted_zone):
        return
    target = route53.RecordTarget.from_alias(targets.CloudFrontTarget(distribution))
    hosted_zone = zone(scope, settings.hosted_zone)
    name = f"{settings.domain_name}."
    route53.ARecord(scope, "Ipv4", zone=hosted_zone, record_name=name, target=target)
    route53.AaaaRecord(scope, "Ipv6", zone=hosted_zone, record_name=name, target=target)
