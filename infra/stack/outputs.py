"""The outputs of a stage: what a deploy prints, and what commands look up."""

import json
from dataclasses import asdict

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.stack import embedding
from infra.stack.cdn import Cdn
from infra.stack.data import StageData
from infra.stack.knowledge import Reading, VectorBucket
from infra.stack.page_config import LOCAL_DOMAIN_KEY
from infra.stack.secret import Secrets
from infra.stack.settings import StackSettings
from infra.stack.sign_in import SignIn
from infra.stack.stage_functions import StageFunctions


def stage_outputs(
    scope: Construct,
    settings: StackSettings,
    *,
    cdn: Cdn,
    functions: StageFunctions,
    data: StageData,
) -> None:
    """The addresses, the secrets, the budget, and where data and logs are."""
    CfnOutput(scope, "PageUrl", value=cdn.address, description="The page")
    CfnOutput(scope, "ApiUrl", value=f"{cdn.address}/chatkit", description="ChatKit's API")
    CfnOutput(scope, "Provider", value=settings.provider, description="Who answers")
    _secrets(scope, settings, data.secrets)
    _budget(scope, settings)
    if settings.domain_key == LOCAL_DOMAIN_KEY:
        CfnOutput(
            scope,
            "Next",
            value=f"Register {cdn.address} at "
            "https://platform.openai.com/settings/organization/security/domain-allowlist "
            "and deploy again with -c domainKey=<its key>",
            description="What to do next",
        )
    _data(scope, functions, data)


def _secrets(scope: Construct, settings: StackSettings, secrets: Secrets) -> None:
    CfnOutput(
        scope,
        "CookieSecret",
        value=secrets.cookie.id,
        description="Name of the secret that signs cookies; make secret KEY=cookie rotates it",
    )
    for provider, secret in secrets.models.items():
        own = provider == settings.provider
        command = "make secret" if own else f"make secret KEY={provider}"
        CfnOutput(
            scope,
            "ModelSecret" if own else f"{provider.title()}Secret",
            value=secret.id,
            description=f"Name of the secret with the key of {provider}; {command} sets it",
        )
    if secrets.turnstile:
        CfnOutput(
            scope,
            "TurnstileSecret",
            value=secrets.turnstile.id,
            description="Name of the secret with the secret key of Turnstile's widget; "
            "make secret KEY=turnstile sets it",
        )


def _budget(scope: Construct, settings: StackSettings) -> None:
    limits = settings.limit_table
    if limits.stage.dollars_per_day is None:
        return
    CfnOutput(
        scope,
        "DailyBudget",
        value=str(limits.stage.dollars_per_day),
        description="Dollars that the models may cost in a day; make budget allows more",
    )
    CfnOutput(
        scope,
        "BudgetRows",
        value=str(limits.stage_shards),
        description="Rows of the table that count them",
    )


def _data(scope: Construct, functions: StageFunctions, data: StageData) -> None:
    """What commands look into. The log groups are those of the functions whose logs tell of
    runs.
    """
    logs = ",".join(each.logs.log_group_name for each in (functions.chat, functions.actions))
    CfnOutput(scope, "TableName", value=data.table.table.table_name, description="Conversations")
    CfnOutput(scope, "FilesBucketName", value=data.files.bucket.bucket_name, description="Files")
    CfnOutput(scope, "RunLogs", value=logs, description="Log groups of the runs")


def document_outputs(
    scope: Construct, settings: StackSettings, *, vectors: VectorBucket, reading: Reading
) -> None:
    index = json.dumps(asdict(embedding.index_of(settings)))
    for name, value, description in (
        ("VectorBucketName", vectors.name, "Vectors of what the assistant knows"),
        ("DocumentQueueUrl", reading.waiting.queue_url, "Documents that wait to be read"),
        ("KnowledgeIndex", index, "The index that the settings ask for"),
    ):
        CfnOutput(scope, name, value=value, description=description)


def sign_in_outputs(scope: Stack, settings: StackSettings, sign_in: SignIn) -> None:
    CfnOutput(scope, "SignInUrl", value=sign_in.address, description="The sign-in pages")
    pool = sign_in.pool.user_pool_id
    CfnOutput(scope, "UserPoolId", value=pool, description="The people who may sign in")
    if not settings.sign_up:
        CfnOutput(
            scope,
            "FirstPerson",
            value=f"aws cognito-idp admin-create-user --region {scope.region} "
            f"--user-pool-id {pool} --username you@example.com --user-attributes "
            "Name=email,Value=you@example.com Name=email_verified,Value=true "
            "Name=name,Value=You",
            description="Makes an account and mails its password",
        )
