"""The CDK app: reads the settings and makes the stacks of one stage."""

import os
import sys
from pathlib import Path

from aws_cdk import App, CrossStackReferences, Environment, ReferenceStrength, Tags

from infra.stack.alarms import CLOUDFRONT_REGION
from infra.stack.chatkit_stack import Bundle, ChatKitStack
from infra.stack.context import SettingsError, read_settings
from infra.stack.edge import EdgeAlarms, EdgeStack
from infra.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "frontend" / "dist"


def add_stage(
    app: App,
    settings: StackSettings,
    *,
    bundle: Bundle,
    page: Path,
    account: str | None = None,
) -> ChatKitStack:
    """Make the stacks of one stage: the main one, and those in us-east-1 that the settings need.

    `account` is the AWS profile's.
    """
    region = settings.region
    name = f"chatkit-{settings.stage}"
    edge_environment = Environment(account=account, region=CLOUDFRONT_REGION)
    # Each stack reads the other's outputs (Fn::GetStackOutput). By default the CDK would add two
    # functions in each region that copy the values, with logs that are kept for ever. That would
    # also protect a value in use, but AWS itself refuses to delete a web ACL or a certificate
    # that is in use.
    CrossStackReferences.of(app).consume(ReferenceStrength.WEAK)

    edge: EdgeStack | None = None
    if settings.waf or settings.makes_certificate:
        edge = EdgeStack(
            app,
            f"{name}-edge",
            waf_rate_limit=settings.waf_rate_limit if settings.waf else None,
            domain_name=settings.domain_name if settings.makes_certificate else None,
            hosted_zone=settings.hosted_zone,
            env=edge_environment,
        )
    stack = ChatKitStack(
        app,
        name,
        settings=settings,
        bundle=bundle,
        page=page,
        web_acl_arn=edge.web_acl_arn if edge else None,
        certificate=edge.certificate if edge else None,
        env=Environment(account=account, region=region),
        description="ChatKit, self-hosted: streaming Lambda, DynamoDB, S3, CloudFront",
    )
    if settings.edge_alarms and region != CLOUDFRONT_REGION:
        EdgeAlarms(
            app,
            f"{name}-edge-alarms",
            distribution_id=stack.distribution_id,
            email=settings.alarm_email,
            topic_arn=settings.alarm_topic_arn,
            env=edge_environment,
        )
    Tags.of(app).add("chatkit:stage", settings.stage)
    return stack


def main() -> None:
    app = App()
    try:
        settings = read_settings(app.node.get_all_context(), region=_region())
    except SettingsError as error:
        sys.exit(str(error))
    if not (PAGE / "index.html").is_file():
        sys.exit("The page is not built: run `make synth` or `make deploy`, which build it.")
    from infra.bundle import build  # noqa: PLC0415

    def bundle(function: str) -> Path:
        try:
            return build(
                function,
                architecture=settings.architecture,
                gemini_transcribes=settings.gemini_transcribes,
                assistant=settings.assistant,
            )
        except (RuntimeError, ValueError) as error:
            sys.exit(str(error))

    add_stage(
        app,
        settings,
        bundle=bundle,
        page=PAGE,
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
    )
    app.synth()


def _region() -> str | None:
    """The region of the environment, or else of the profile that the CDK's command line uses."""
    names = ("AWS_REGION", "AWS_DEFAULT_REGION", "CDK_DEFAULT_REGION")
    return next((value for name in names if (value := os.environ.get(name))), None)


if __name__ == "__main__":
    main()
