"""Where the stack differs from cdk-nag's AwsSolutions rules, and why each time."""

from aws_cdk import Stack
from cdk_nag import NagPackSuppression, NagSuppressions, RegexAppliesTo
from constructs import IConstruct

_OURS: dict[str, dict[str, str]] = {
    "Chat/Function": {
        "AwsSolutions-L1": "python3.13 is what the bundle is built and tested for, and what "
        "SnapStart and the streaming loop were checked on.",
    },
    "Actions/Function": {
        "AwsSolutions-L1": "python3.13, as the streaming function: both share their code.",
    },
    "Files/Bucket": {
        "AwsSolutions-S1": "Access logs would record which person fetched which file. CloudTrail's "
        "data events are the account's decision.",
    },
    "Site/Bucket": {
        "AwsSolutions-S1": "Public, unchanging files that only CloudFront reads.",
    },
    "Secrets/Cookie": {
        "AwsSolutions-SMG4": "A new key makes every anonymous visitor a new person, who loses "
        "their threads: that is done by hand, after a leak.",
    },
    "Secrets/Model": {
        "AwsSolutions-SMG4": "The provider makes the key; nothing here could rotate it.",
    },
    "Events/DeadLetters": {
        "AwsSolutions-SQS3": "This is the dead-letter queue.",
    },
    "Cdn/Distribution": {
        "AwsSolutions-CFR1": "A chat for everybody; a country is shut out by who deploys it.",
        "AwsSolutions-CFR2": "WAF costs 7 dollars a month: a setting (waf=true).",
        "AwsSolutions-CFR3": "Access logs hold people's addresses. Each request of the API is in "
        "the functions' logs, without them.",
        "AwsSolutions-CFR4": "CloudFront fixes the protocol of its own certificate. With "
        "domainName the least is TLS 1.2.",
    },
}

# The only wildcards in our own roles; any other is an error again.
_WILDCARDS: dict[str, dict[str, str]] = {
    "Chat/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/\*$/": "One object each, in the stack's own bucket.",
    },
    "Actions/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/\*$/": "One object each, in the stack's own bucket.",
        r"/^Resource::\*$/": "ListStreams has no resource to be narrowed to, and only names "
        "streams.",
    },
}

# Made by the CDK beside its custom resources; they run during a deploy and at no other time.
_CDK: dict[str, dict[str, str]] = {
    "Custom::CDKBucketDeployment": {
        "AwsSolutions-L1": "The CDK chooses its own function's runtime.",
        "AwsSolutions-IAM4": "The CDK's role for its own function: writing logs.",
        "AwsSolutions-IAM5": "The CDK's role for its own function: it copies assets into the "
        "site's bucket. CreateInvalidation of distributions it is told of.",
    },
    "BucketNotificationsHandler": {
        "AwsSolutions-L1": "The CDK chooses its own function's runtime.",
        "AwsSolutions-IAM4": "The CDK's role for its own function: writing logs.",
        "AwsSolutions-IAM5": "The CDK's role for its own function: it sets notifications.",
    },
}


def suppress(stack: Stack) -> None:
    """Write the reasons into the template, on the resource that each is about."""
    for path, reasons in _OURS.items():
        construct = _find(stack, path)
        if construct is not None:
            _add(construct, reasons)
    for path, wildcards in _WILDCARDS.items():
        construct = _find(stack, path)
        if construct is not None:
            _add_wildcards(construct, wildcards)
    for child in stack.node.children:
        for prefix, reasons in _CDK.items():
            if child.node.id.startswith(prefix):
                _add(child, reasons)


def _find(stack: Stack, path: str) -> IConstruct | None:
    found: IConstruct | None = stack
    for part in path.split("/"):
        found = found.node.try_find_child(part) if found is not None else None
    return found


def _add(construct: IConstruct, reasons: dict[str, str]) -> None:
    NagSuppressions.add_resource_suppressions(
        construct,
        [NagPackSuppression(id=rule, reason=reason) for rule, reason in reasons.items()],
        apply_to_children=True,
    )


def _add_wildcards(construct: IConstruct, reasons: dict[str, str]) -> None:
    NagSuppressions.add_resource_suppressions(
        construct,
        [
            NagPackSuppression(
                id="AwsSolutions-IAM5", reason=reason, applies_to=[RegexAppliesTo(regex=regex)]
            )
            for regex, reason in reasons.items()
        ],
        apply_to_children=True,
    )
