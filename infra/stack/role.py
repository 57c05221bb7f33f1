"""A construct with a role of its own, to which rights are added one by one."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

Conditions = Mapping[str, Mapping[str, object]]


class WithRole(Construct):
    """Whoever derives from this sets `role`."""

    role: iam.Role

    def allow(
        self,
        sid: str,
        actions: list[str],
        resources: list[str],
        conditions: Conditions | None = None,
    ) -> None:
        """Add one statement to the role."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid=sid, actions=actions, resources=resources, conditions=conditions
            )
        )
