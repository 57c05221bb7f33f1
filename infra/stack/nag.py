"""The exceptions from cdk-nag's AwsSolutions rules, each with its reason."""

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
    "Events/Function": {
        "AwsSolutions-L1": "python3.13, as the streaming function: both share their code.",
    },
    "Sweep/Function": {
        "AwsSolutions-L1": "python3.13, as the streaming function: both share their code.",
    },
    "Changes/Function": {
        "AwsSolutions-L1": "python3.13, as the streaming function: both share their code.",
    },
    "Ingest/Function": {
        "AwsSolutions-L1": "python3.13, as the streaming function: both share their code.",
    },
    "VectorRemoval/Function": {
        "AwsSolutions-L1": "python3.13, as the ingest function, whose code it has.",
    },
    "Changes/DeadLetters": {
        "AwsSolutions-SQS3": "This is the dead-letter queue.",
    },
    "Ingest/DeadLetters": {
        "AwsSolutions-SQS3": "This is the dead-letter queue.",
    },
    "Files/Bucket": {
        "AwsSolutions-S1": "Access logs would record which person fetched which file. The owner of "
        "the account decides about CloudTrail's data events.",
    },
    "Site/Bucket": {
        "AwsSolutions-S1": "Public, unchanging files that only CloudFront reads.",
    },
    "Secrets/Cookie": {
        "AwsSolutions-SMG4": "`make secret KEY=cookie` rotates it. A rotation by AWS would need a "
        "function more, with rights on the secret.",
    },
    **{
        f"Secrets/Model{provider}": {
            "AwsSolutions-SMG4": "The provider makes the key, and AWS cannot rotate it.",
        }
        for provider in ("", "Openai", "Gemini", "Azure", "Compatible")
    },
    "Secrets/Turnstile": {
        "AwsSolutions-SMG4": "Cloudflare makes the key, and AWS cannot rotate it.",
    },
    "Events/DeadLetters": {
        "AwsSolutions-SQS3": "This is the dead-letter queue.",
    },
    "DomainEvents/NotifyDeadLetters": {
        "AwsSolutions-SQS3": "This is the dead-letter queue.",
    },
    "SignIn/Pool": {
        "AwsSolutions-COG2": "The sign-in pages ask each person to set up a second factor only "
        "when it is required, so that is a setting (signInMfa=required).",
        "AwsSolutions-COG8": "Threat protection needs Cognito's Plus plan, which costs more for "
        "each person in a month.",
    },
    "Cdn/Distribution": {
        "AwsSolutions-CFR1": "The chat is open to every country, unless its owner limits that.",
        "AwsSolutions-CFR2": "WAF costs money each month, so it is a setting (waf=true).",
        "AwsSolutions-CFR3": "Access logs hold people's addresses. The functions' logs hold each "
        "request of the API without addresses.",
        "AwsSolutions-CFR4": "CloudFront sets the TLS version of its own certificate. With "
        "domainName the minimum is TLS 1.2.",
    },
}

_INDEXES = r"/^Resource::<VectorsBucket\w*\.VectorBucketArn>\/index\/\*$/"
_OF_THE_VECTORS = (
    "The indexes of the stack's own vector bucket: the ingest function makes one for each model."
)

# The only wildcards in our own roles. cdk-nag still reports any other.
_WILDCARDS: dict[str, dict[str, str]] = {
    "Chat/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/(knowledge(-index)?\/)?\*$/": (
            "One object each, in the stack's own bucket."
        ),
        _INDEXES: _OF_THE_VECTORS,
        r"/^Resource::arn:<AWS::Partition>:bedrock:\*::foundation-model\/.+$/": "Through the named "
        "inference profile only, which leads to further regions.",
    },
    "Actions/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/\*$/": "One object each, in the stack's own bucket.",
    },
    "Events/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/\*$/": "One object each, in the stack's own bucket.",
        r"/^Resource::\*$/": "IAM cannot limit ListStreams to a resource, and it only returns "
        "names.",
    },
    "Sweep/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/(files|images|spill|uploads)\/\*$/": (
            "One object each, in the stack's own bucket."
        ),
    },
    "Changes/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/spill\/\*$/": (
            "The bodies of large messages, for `eventText` and `reportText`."
        ),
        r"/^Resource::\*$/": "IAM cannot limit ListStreams to a resource, and it only returns "
        "names.",
    },
    "Ingest/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/knowledge(-index)?\/\*$/": (
            "One object each, of what the assistant knows."
        ),
        _INDEXES: _OF_THE_VECTORS,
        r"/^Resource::arn:<AWS::Partition>:bedrock:\*::foundation-model\/.+$/": "Through the named "
        "inference profile only, which leads to further regions.",
    },
    "VectorRemoval/Role": {
        _INDEXES: _OF_THE_VECTORS,
    },
    "Data/Role": {
        r"/^Resource::<FilesBucket\w+\.Arn>\/[a-z\/]+\/<aws:PrincipalTag\/folder>\/\*$/": (
            "The objects of the owner whom the session names."
        ),
    },
    "Deployer/Role": {
        r"/^Resource::arn:<AWS::Partition>:iam::[^:]+:role\/cdk-hnb659fds-[a-z-]+-role-.+-\*$/": (
            "The roles of `make bootstrap` in this account, one for each region: a stage has "
            "further stacks in us-east-1."
        ),
        r"/^Resource::<\w+\.Arn>:\*$/": "The versions of one of the stack's own functions.",
    },
}

# Functions that the CDK adds for its custom resources. They run only during a deploy.
_CDK: dict[str, dict[str, str]] = {
    "Custom::CDKBucketDeployment": {
        "AwsSolutions-L1": "The CDK chooses its own function's runtime.",
        "AwsSolutions-IAM4": "The CDK's role for its own function: writing logs.",
        "AwsSolutions-IAM5": "The CDK's role for its own function: it copies assets into the "
        "site's bucket and invalidates CloudFront's cache.",
    },
    "AWS679f53fac002430cb0da5b7982bd2287": {
        "AwsSolutions-L1": "The CDK chooses its own function's runtime.",
        "AwsSolutions-IAM4": "The CDK's role for its own function: writing logs.",
    },
    "BucketNotificationsHandler": {
        "AwsSolutions-L1": "The CDK chooses its own function's runtime.",
        "AwsSolutions-IAM4": "The CDK's role for its own function: writing logs.",
        "AwsSolutions-IAM5": "The CDK's role for its own function: it sets notifications.",
    },
}


def suppress(stack: Stack) -> None:
    """Write each reason into the template, at its resource."""
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
