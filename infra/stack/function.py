"""A Lambda function with its own role, log group and alias. All functions are made so."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from infra.stack.role import WithRole

ALIAS = "live"

_ARCHITECTURES = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}
_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
}


def log_group(scope: Construct, construct_id: str, *, retention_days: int) -> logs.LogGroup:
    """A log group that is deleted with its stack. Logs hold no messages of people."""
    return logs.LogGroup(
        scope,
        construct_id,
        retention=_RETENTION[retention_days],
        removal_policy=RemovalPolicy.DESTROY,
    )


def give_logs(stack: Stack, *, retention_days: int) -> None:
    """Give a log group to the functions that the CDK adds without one.

    Lambda would make a group for each of them that keeps logs for ever and outlives the stack.
    """
    without = [
        child
        for child in stack.node.find_all()
        if isinstance(child, CfnResource)
        and child.cfn_resource_type == lambda_.CfnFunction.CFN_RESOURCE_TYPE_NAME
        and not (isinstance(child, lambda_.CfnFunction) and child.logging_config)
    ]
    group = log_group(stack, "DeploymentLogs", retention_days=retention_days)
    for function in without:
        function.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})


class ServiceFunction(WithRole):
    """One of our functions. Whoever calls it calls its alias.

    SnapStart needs a published version, and with an alias a deploy switches from one complete
    version to the next.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        code: lambda_.Code,
        handler: str,
        architecture: str,
        memory: int,
        timeout: int,
        concurrency: int,
        environment: Mapping[str, str],
        layers: list[str],
        snap_start: bool,
        log_level: str,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.timeout = timeout
        self.logs = log_group(self, "Logs", retention_days=log_retention_days)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.allow(
            "WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [self.logs.log_group_arn]
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=_ARCHITECTURES[architecture],
            code=code,
            handler=handler,
            memory_size=memory,
            timeout=Duration.seconds(timeout),
            reserved_concurrent_executions=concurrency or None,
            environment=dict(environment),
            layers=[
                lambda_.LayerVersion.from_layer_version_arn(self, f"Layer{number}", arn)
                for number, arn in enumerate(layers)
            ],
            role=self.role.without_policy_updates(),
            log_group=self.logs,
            logging_format=lambda_.LoggingFormat.JSON,
            # CHATKIT_LOG_LEVEL says what is logged. Lambda lets the lines of the runs pass at every
            # level, because the metrics of the alarms are in them.
            application_log_level_v2=lambda_.ApplicationLogLevel[
                "DEBUG" if log_level == "DEBUG" else "INFO"
            ],
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            # For `make rollback`. `make deploy` deletes those that it does not need.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        self.alias = lambda_.Alias(
            self, "Alias", alias_name=ALIAS, version=self.function.current_version
        )

    def change_after(self, other: IDependable) -> None:
        """In a deploy, change this function's code and rights only when `other` is changed.

        Its role itself is not held back, because `other` may refer to it.
        """
        self.role.node.find_child("DefaultPolicy").node.add_dependency(other)
        self.function.node.add_dependency(other)


class UrlFunction(ServiceFunction):
    """A function that CloudFront calls through its URL. `function` is as for `ServiceFunction`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        invoke_mode: lambda_.InvokeMode,
        **function: Any,
    ) -> None:
        super().__init__(scope, construct_id, **function)
        self.url = self.alias.add_function_url(
            auth_type=lambda_.FunctionUrlAuthType.AWS_IAM, invoke_mode=invoke_mode
        )
