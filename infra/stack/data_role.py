"""The role that reaches one owner's rows and objects, for `isolation=session`.

A function assumes it for the owner of a request, and names them in two tags of the session
(`functions/aws/owner_sessions.py`), to which the role's rights (`infra/stack/permissions.py`) are
bound. No session is given without both tags, so every variable in a policy has a value:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.aws.owner_sessions import FOLDER_TAG, OWNER_TAG
from infra.stack.function import ServiceFunction
from infra.stack.role import WithRole


class DataRole(WithRole):
    """The role, which only `functions` may assume. Tells them its ARN."""

    def __init__(
        self, scope: Construct, construct_id: str, *, functions: list[ServiceFunction]
    ) -> None:
        super().__init__(scope, construct_id)
        trusted = iam.CompositePrincipal(
            *(iam.ArnPrincipal(function.role.role_arn) for function in functions)
        )
        both_tags = {f"aws:RequestTag/{tag}": "?*" for tag in (OWNER_TAG, FOLDER_TAG)}
        self.role = iam.Role(
            self,
            "Role",
            description="Reaches the rows and objects of the owner that its session names",
            assumed_by=iam.SessionTagsPrincipal(
                iam.PrincipalWithConditions(trusted, {"StringLike": both_tags})
            ),
        )
        for function in functions:
            function.allow("Session", ["sts:AssumeRole", "sts:TagSession"], [self.role.role_arn])
            function.function.add_environment("CHATKIT_DATA_ROLE", self.role.role_arn)
