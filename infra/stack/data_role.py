"""The role that reaches one owner's rows and objects, for `isolation=session`.

A function assumes it for the owner of a request, and names them in two tags of the session
(`functions/aws/owner_sessions.py`). The role's rights (`infra/stack/permissions.py`) are bound to
these.
No session is given without both tags, so every variable in a policy has a value:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.aws.owner_sessions import FOLDER_TAG, OWNER_TAG
from infra.stack.function import ServiceFunction


class DataRole(Construct):
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

    def allow(
        self,
        sid: str,
        actions: list[str],
        resources: list[str],
        conditions: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        """Add one statement to the role."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid=sid, actions=actions, resources=resources, conditions=conditions
            )
        )
