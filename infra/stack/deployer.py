"""The role with which a workflow of GitHub Actions deploys the stage, without a key.

AWS recommends to check the token's `sub`, which names the repository and the environment:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
"""

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.stack.role import WithRole

ISSUER = "token.actions.githubusercontent.com"

_BOOTSTRAP = DefaultStackSynthesizer.DEFAULT_QUALIFIER
_KINDS = ("deploy-role", "file-publishing-role", "lookup-role")
"""The roles that `make bootstrap` makes, and that the CDK acts as. The first hands the changes to
CloudFormation, which has a role of its own."""


class Deployer(WithRole):
    """`repository` is `owner/name`; the workflow's environment is called like the stage.

    The account has to know GitHub as an identity provider (docs/deploy.md). It can have it only
    once, so no stage makes it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository: str,
        stage: str,
        secrets: list[str],
        functions: list[lambda_.Function],
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        account = f"arn:{stack.partition}:iam::{stack.account}"
        self.role = iam.Role(
            self,
            "Role",
            description=f"GitHub Actions of {repository} deploy the stage {stage}",
            assumed_by=iam.WebIdentityPrincipal(
                f"{account}:oidc-provider/{ISSUER}",
                {
                    "StringEquals": {
                        f"{ISSUER}:aud": "sts.amazonaws.com",
                        f"{ISSUER}:sub": f"repo:{repository}:environment:{stage}",
                    }
                },
            ),
            max_session_duration=Duration.hours(1),
        )
        self.allow(
            "ActAsTheCdk",
            ["sts:AssumeRole"],
            [f"{account}:role/cdk-{_BOOTSTRAP}-{kind}-{stack.account}-*" for kind in _KINDS],
        )
        # After a deploy it is said which secrets have no value yet. Nobody reads a value.
        self.allow("LookAtSecrets", ["secretsmanager:DescribeSecret"], secrets)
        # It also deletes the versions that no rollback needs.
        arns = [function.function_arn for function in functions]
        self.allow(
            "LookAtStack",
            ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
            [stack.stack_id],
        )
        self.allow("ListVersions", ["lambda:GetAlias", "lambda:ListVersionsByFunction"], arns)
        self.allow("RemoveVersions", ["lambda:DeleteFunction"], [f"{arn}:*" for arn in arns])
        CfnOutput(
            self,
            "Arn",
            value=self.role.role_arn,
            description="What GitHub Actions deploys with: the variable CHATKIT_ROLE there",
        ).override_logical_id("DeployRole")
