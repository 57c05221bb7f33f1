"""The whole product as one stack: its resources and the functions' rights."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.attachments.schema import UPLOADS
from functions.store.schema import STREAM_FILTERS
from infra.stack import embedding, knowledge, models
from infra.stack import sweep as sweeping
from infra.stack.alarms import Alarms, Spend, alarm_topic
from infra.stack.cdn import CHATKIT_CDN, Cdn, Domain, content_security_policy
from infra.stack.changes import Changed, changes
from infra.stack.dashboard import Dashboard
from infra.stack.data_role import DataRole
from infra.stack.deployer import Deployer
from infra.stack.domain_events import DomainBus
from infra.stack.edge import zone
from infra.stack.environment import (
    environment,
    mcp_servers,
    metrics_namespace,
    of_changes,
    of_events,
    of_sweep,
    runtime,
    settings_from,
    traces,
)
from infra.stack.events import MEMORY, TIMEOUT, subscribe
from infra.stack.files import FilesBucket
from infra.stack.function import ServiceFunction, UrlFunction, give_logs
from infra.stack.knowledge import (
    Reading,
    VectorBucket,
    delete_indexes_with_stack,
    subscribe_to_documents,
)
from infra.stack.nag import suppress
from infra.stack.page_config import LOCAL_DOMAIN_KEY, page_config
from infra.stack.permissions import (
    allow_actions,
    allow_changes,
    allow_chat,
    allow_collector,
    allow_counters,
    allow_embedding,
    allow_events,
    allow_guardrail,
    allow_ingest,
    allow_models,
    allow_owner,
    allow_records,
    allow_report,
    allow_search,
    allow_secrets,
    allow_sweep,
    allow_table_version,
)
from infra.stack.secret import Secrets
from infra.stack.settings import StackSettings
from infra.stack.sign_in import SignIn
from infra.stack.table import ChatTable
from infra.stack.website import Page, SiteBucket

Bundle = Callable[[str], Path]
"""Gives the folder with the code of one function, `chat`, `actions` or `ingest`."""


class ChatKitStack(Stack):
    """One stage. It gives no resource a fixed name, so two stages cannot clash."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StackSettings,
        bundle: Bundle,
        page: Path,
        web_acl_arn: str | None = None,
        certificate: acm.ICertificate | None = None,
        **stack: Any,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            termination_protection=settings.deletion_protection,
            **stack,
        )
        keep = settings.deletion_protection
        removal_policy = RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY
        key = (
            kms.Key(self, "Key", enable_key_rotation=True, removal_policy=removal_policy)
            if settings.kms
            else None
        )
        table = ChatTable(self, "Table", key=key, keep=keep, restored=settings.restored_table)
        files = FilesBucket(
            self,
            "Files",
            key=key,
            keep=keep,
            origins=_upload_origins(settings),
            versions=settings.file_versions,
        )
        secrets = Secrets(
            self,
            "Secrets",
            cookie_secret=settings.cookie_secret,
            model_secret=settings.model_secret,
            transcription_secret=settings.transcription_secret,
            embedding_secret=settings.embedding_secret,
            collector_secret=settings.otlp_headers_secret,
            mcp_secrets=[name for server in settings.mcp_servers for name in server.secret_names()],
            provider=settings.provider,
            key_providers=models.key_providers(settings),
            needs_turnstile_key=settings.turnstile_site_key is not None,
            key=key,
            removal_policy=removal_policy,
        )
        sign_in = (
            SignIn(
                self,
                "SignIn",
                keep=keep,
                sign_up=settings.sign_up,
                mfa_required=settings.sign_in_mfa == "required",
                claims=settings.claims,
            )
            if settings.sign_in
            else None
        )
        shared = environment(settings, table=table, files=files, secrets=secrets)
        if sign_in:
            shared |= sign_in.variables
        started = runtime(settings, region=self.region)
        vectors = VectorBucket(self, "Vectors", key=key, keep=keep) if settings.knowledge else None
        knows = embedding.variables(settings, vectors.name) if vectors else {}
        chat = UrlFunction(
            self,
            "Chat",
            description=f"ChatKit {settings.stage}: answers, streamed",
            code=lambda_.Code.from_asset(str(bundle("chat"))),
            handler=started.handler,
            architecture=settings.architecture,
            memory=settings.chat_memory,
            timeout=settings.chat_timeout,
            concurrency=settings.chat_concurrency,
            environment={
                **shared,
                **knows,
                **mcp_servers(settings),
                **traces(settings, secrets),
                **started.environment,
            },
            layers=started.layers,
            invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM,
            snap_start=settings.snap_start,
            log_level=settings.log_level,
            log_retention_days=settings.log_retention_days,
        )
        code_of_actions = lambda_.Code.from_asset(str(bundle("actions")))
        actions = UrlFunction(
            self,
            "Actions",
            description=f"ChatKit {settings.stage}: widget actions and voice",
            code=code_of_actions,
            handler="functions.actions.handler.handler",
            architecture=settings.architecture,
            memory=settings.actions_memory,
            timeout=settings.actions_timeout,
            concurrency=settings.actions_concurrency,
            environment=shared,
            layers=[],
            invoke_mode=lambda_.InvokeMode.BUFFERED,
            snap_start=settings.snap_start,
            log_level=settings.log_level,
            log_retention_days=settings.log_retention_days,
        )
        events = ServiceFunction(
            self,
            "Events",
            description=f"ChatKit {settings.stage}: events of the table and of the bucket",
            code=code_of_actions,
            handler="functions.events.handler.handler",
            architecture=settings.architecture,
            memory=MEMORY,
            timeout=TIMEOUT,
            concurrency=settings.events_concurrency,
            environment=of_events(shared),
            layers=[],
            snap_start=False,  # nobody waits for its start, and a snapshot is billed
            log_level=settings.log_level,
            log_retention_days=settings.log_retention_days,
        )
        sweep = self._sweep(settings, code_of_actions, shared)
        allow_secrets(chat, secrets, models=[*secrets.models], turnstile=True, mcp=True)
        allow_collector(chat, secrets.collector)
        allow_guardrail(chat, settings.bedrock_guardrail)
        transcribes = settings.transcribes and settings.transcription_base_url is None
        allow_secrets(
            actions,
            secrets,
            models=[settings.provider] if transcribes else [],
            turnstile=False,  # it opens no sessions, so it verifies no challenge
            mcp=False,  # it runs no agent
        )
        allow_models(chat, models.chosen(settings))
        topic = alarm_topic(self, email=settings.alarm_email, topic_arn=settings.alarm_topic_arn)
        changed = self._changed(settings, table, code_of_actions, shared, topic)
        self._allow_data(
            settings,
            chat=chat,
            actions=actions,
            events=events,
            sweep=sweep,
            changed=changed,
            table=table,
            files=files,
            key=key,
        )
        subscriptions = subscribe(
            events,
            table=table.table,
            stream_filters=STREAM_FILTERS,
            bucket=files.bucket,
            upload_prefix=UPLOADS,
        )
        # In version 0.1 the actions function got the events. A deploy over it first moves the
        # stream, with its position, and then takes the code and the rights for them away.
        actions.change_after(subscriptions.stream)

        reading = None
        if vectors:
            variables = {**embedding.of_ingest(settings, shared), **knows}
            reading = self._reading(settings, vectors, files, bundle("ingest"), variables)
            self._allow_documents(
                settings,
                chat=chat,
                table=table,
                reading=reading,
                vectors=vectors,
                files=files,
                secrets=secrets,
                key=key,
            )

        site = SiteBucket(self, "Site")
        cdn = Cdn(
            self,
            "Cdn",
            site_bucket=site.bucket,
            chat=chat,
            actions=actions,
            csp=content_security_policy(
                files_bucket=files.bucket,
                frame_ancestors=settings.frame_ancestors,
                image_sources=settings.image_sources,
                sign_in=sign_in.origins if sign_in else settings.sign_in_origins,
                challenge=settings.turnstile_site_key is not None,
            ),
            domain=self._domain(settings, certificate),
            web_acl_arn=web_acl_arn,
            price_class=settings.price_class,
        )
        self._records(settings, cdn)
        if sign_in:
            self._open_sign_in(settings, sign_in, cdn)
        Page(
            self,
            "Page",
            site=site,
            distribution=cdn.distribution,
            built=page,
            config=page_config(settings_from(shared), domain_key=settings.domain_key),
            log_retention_days=settings.log_retention_days,
        )

        alarms = Alarms(
            self,
            "Alarms",
            chat=chat,
            actions_function=actions,
            events=events,
            sweep=sweep,
            changed=changed,
            table=table.table,
            dead_letters=subscriptions.dead_letters,
            distribution_id=cdn.distribution.distribution_id,
            namespace=metrics_namespace(settings),
            first_token_ms=settings.first_token_alarm_ms,
            spend=Spend(settings.daily_spend_alarm, settings.limit_table.stage.dollars_per_day),
            topic=topic,
            reading=reading,
        )
        if settings.dashboard:
            Dashboard(
                self,
                "Dashboard",
                chat=chat,
                actions_function=actions,
                events=events,
                changes=changed.function,
                alarms=alarms,
                reading=reading,
            )

        self._deployer(
            settings,
            secrets,
            [chat, actions, events, changed.function, sweep],
            table,
            key,
        )
        self.distribution_id = cdn.distribution.distribution_id
        self._outputs(settings, cdn, secrets)
        self._outputs_of_data(table, files, [chat, actions])
        give_logs(self, retention_days=settings.log_retention_days)
        suppress(self)

    def _outputs_of_data(
        self, table: ChatTable, files: FilesBucket, runs: list[ServiceFunction]
    ) -> None:
        """What commands look into. `runs` are the functions whose logs tell of runs."""
        logs = ",".join(function.logs.log_group_name for function in runs)
        CfnOutput(self, "TableName", value=table.table.table_name, description="Conversations")
        CfnOutput(self, "FilesBucketName", value=files.bucket.bucket_name, description="Files")
        CfnOutput(self, "RunLogs", value=logs, description="Log groups of the runs")

    def _changed(
        self,
        settings: StackSettings,
        table: ChatTable,
        code: lambda_.Code,
        variables: dict[str, str],
        topic: sns.ITopic | None,
    ) -> Changed:
        """The function that counts what has changed, without its rights to rows. With
        `domainEvents` it publishes on its bus.
        """
        changed = changes(
            self,
            stage=settings.stage,
            table=table.table,
            code=code,
            architecture=settings.architecture,
            environment=of_changes(variables, settings),
            log_level=settings.log_level,
            log_retention_days=settings.log_retention_days,
        )
        if settings.publishes:
            bus = DomainBus(self, "DomainEvents", stage=settings.stage, changed=changed)
            if settings.example == "notify" and topic is not None:
                bus.notify(topic, stage=settings.stage)
        return changed

    def _sweep(
        self, settings: StackSettings, code: lambda_.Code, variables: dict[str, str]
    ) -> ServiceFunction:
        """The function that removes what a crash has left, without its rights."""
        sweep = ServiceFunction(
            self,
            "Sweep",
            description=f"ChatKit {settings.stage}: removes what a crash has left behind",
            code=code,
            handler="functions.events.sweep_handler.handler",
            architecture=settings.architecture,
            memory=sweeping.MEMORY,
            timeout=sweeping.TIMEOUT,
            concurrency=0,  # a lease in the table sees to it that one works at a time
            environment=of_sweep(variables),
            layers=[],
            snap_start=False,
            log_level=settings.log_level,
            log_retention_days=settings.log_retention_days,
        )
        sweeping.start_hourly(sweep)
        return sweep

    def _allow_data(
        self,
        settings: StackSettings,
        *,
        chat: ServiceFunction,
        actions: ServiceFunction,
        events: ServiceFunction,
        sweep: ServiceFunction,
        changed: Changed,
        table: ChatTable,
        files: FilesBucket,
        key: kms.Key | None,
    ) -> None:
        """The rights to people's rows and files."""
        isolated = settings.isolation == "session"
        allow_sweep(sweep, table=table, files=files, key=key, isolated=isolated)
        if isolated:
            allow_counters(chat, table=table, key=key)
            allow_report(chat, table=table)
            allow_counters(actions, table=table, key=key)
            allow_records(events, key=key)
            readers = [changed.function] if settings.reads_texts else []
            allow_changes(changed.function, table=table, key=key, texts_in=None)
            data = DataRole(self, "Data", functions=[chat, actions, events, sweep, *readers])
            allow_owner(data, table=table, files=files, key=key)
        else:
            allow_chat(chat, table=table, files=files, key=key)
            allow_actions(actions, table=table, files=files, key=key)
            allow_events(events, table=table, files=files, key=key)
            texts_in = files if settings.reads_texts else None
            allow_changes(changed.function, table=table, key=key, texts_in=texts_in)

    def _allow_documents(
        self,
        settings: StackSettings,
        *,
        chat: ServiceFunction,
        table: ChatTable,
        reading: Reading,
        vectors: VectorBucket,
        files: FilesBucket,
        secrets: Secrets,
        key: kms.Key | None,
    ) -> None:
        """The rights to search documents, to read them into the index, and to ask the model that
        makes the vectors.
        """
        isolated = settings.isolation == "session"
        allow_search(chat, vectors=vectors, files=files, key=key, isolated=isolated)
        model = embedding.model_of(settings)
        allow_embedding(chat, model, secrets.embedding)  # it reads the models' keys anyway
        secret = secrets.embedding or secrets.models.get(models.embedding_key(settings) or "")
        allow_embedding(reading.ingest, model, secret)
        allow_ingest(
            reading.ingest,
            table=table,
            vectors=vectors,
            files=files,
            key=key,
            reads_secret=secret is not None,
        )

    def _reading(
        self,
        settings: StackSettings,
        vectors: VectorBucket,
        files: FilesBucket,
        code: Path,
        variables: dict[str, str],
    ) -> Reading:
        """The function that reads documents, without its rights to them, and its queue."""
        alike: dict[str, Any] = {
            "code": lambda_.Code.from_asset(str(code)),
            "architecture": settings.architecture,
            "log_level": settings.log_level,
            "log_retention_days": settings.log_retention_days,
        }
        ingest = ServiceFunction(
            self,
            "Ingest",
            description=f"ChatKit {settings.stage}: reads documents into the index",
            handler="functions.ingest.handler.handler",
            memory=knowledge.MEMORY,
            timeout=knowledge.TIMEOUT,
            concurrency=0,  # the queue's `AT_ONCE` limits it, and throttles nothing
            environment=variables,
            layers=[],
            snap_start=False,
            **alike,
        )
        if not settings.deletion_protection:
            indexes = delete_indexes_with_stack(self, "VectorRemoval", vectors=vectors, **alike)
            # So the ingest function, which would make an index, is deleted first.
            ingest.function.node.add_dependency(indexes)
        reading = subscribe_to_documents(ingest, files.bucket)
        index = json.dumps(asdict(embedding.index_of(settings)))
        for name, value, description in (
            ("VectorBucketName", vectors.name, "Vectors of what the assistant knows"),
            ("DocumentQueueUrl", reading.waiting.queue_url, "Documents that wait to be read"),
            ("KnowledgeIndex", index, "The index that the settings ask for"),
        ):
            CfnOutput(self, name, value=value, description=description)
        return reading

    def _domain(
        self, settings: StackSettings, certificate: acm.ICertificate | None
    ) -> Domain | None:
        if settings.domain_name is None:
            return None
        if settings.certificate_arn:
            certificate = acm.Certificate.from_certificate_arn(
                self, "Certificate", settings.certificate_arn
            )
        assert certificate is not None  # noqa: S101 - settings ask for one of the two
        return Domain(settings.domain_name, certificate)

    def _records(self, settings: StackSettings, cdn: Cdn) -> None:
        if not (settings.domain_name and settings.hosted_zone):
            return
        target = route53.RecordTarget.from_alias(targets.CloudFrontTarget(cdn.distribution))
        hosted_zone = zone(self, settings.hosted_zone)
        name = f"{settings.domain_name}."
        route53.ARecord(self, "Ipv4", zone=hosted_zone, record_name=name, target=target)
        route53.AaaaRecord(self, "Ipv6", zone=hosted_zone, record_name=name, target=target)

    def _deployer(
        self,
        settings: StackSettings,
        secrets: Secrets,
        functions: list[ServiceFunction],
        table: ChatTable,
        key: kms.IKey | None,
    ) -> None:
        if settings.github_repository is None:
            return
        named = [*secrets.models.values(), *filter(None, [secrets.turnstile])]
        deployer = Deployer(
            self,
            "Deployer",
            repository=settings.github_repository,
            stage=settings.stage,
            secrets=[secret.arn for secret in named],
            functions=[each.function for each in functions],
        )
        allow_table_version(deployer, table=table, key=key)

    def _open_sign_in(self, settings: StackSettings, sign_in: SignIn, cdn: Cdn) -> None:
        """Let people come from the page, whose address is known now."""
        sign_in.open(
            [cdn.address, *settings.allowed_origins],
            scopes=settings.scopes,
            providers=settings.sign_in_providers,
            log_retention_days=settings.log_retention_days,
        )
        self._sign_in_outputs(settings, sign_in)

    def _sign_in_outputs(self, settings: StackSettings, sign_in: SignIn) -> None:
        CfnOutput(self, "SignInUrl", value=sign_in.address, description="The sign-in pages")
        pool = sign_in.pool.user_pool_id
        CfnOutput(self, "UserPoolId", value=pool, description="The people who may sign in")
        if not settings.sign_up:
            CfnOutput(
                self,
                "FirstPerson",
                value=f"aws cognito-idp admin-create-user --region {self.region} "
                f"--user-pool-id {pool} --username you@example.com --user-attributes "
                "Name=email,Value=you@example.com Name=email_verified,Value=true "
                "Name=name,Value=You",
                description="Makes an account and mails its password",
            )

    def _outputs(self, settings: StackSettings, cdn: Cdn, secrets: Secrets) -> None:
        CfnOutput(self, "PageUrl", value=cdn.address, description="The page")
        CfnOutput(self, "ApiUrl", value=f"{cdn.address}/chatkit", description="ChatKit's API")
        CfnOutput(self, "Provider", value=settings.provider, description="Who answers")
        CfnOutput(
            self,
            "CookieSecret",
            value=secrets.cookie.id,
            description="Name of the secret that signs cookies; make secret KEY=cookie rotates it",
        )
        for provider, secret in secrets.models.items():
            own = provider == settings.provider
            command = "make secret" if own else f"make secret KEY={provider}"
            CfnOutput(
                self,
                "ModelSecret" if own else f"{provider.title()}Secret",
                value=secret.id,
                description=f"Name of the secret with the key of {provider}; {command} sets it",
            )
        if secrets.turnstile:
            CfnOutput(
                self,
                "TurnstileSecret",
                value=secrets.turnstile.id,
                description="Name of the secret with the secret key of Turnstile's widget; "
                "make secret KEY=turnstile sets it",
            )
        limits = settings.limit_table
        if limits.stage.dollars_per_day is not None:
            CfnOutput(
                self,
                "DailyBudget",
                value=str(limits.stage.dollars_per_day),
                description="Dollars that the models may cost in a day; make budget allows more",
            )
            CfnOutput(
                self,
                "BudgetRows",
                value=str(limits.stage_shards),
                description="Rows of the table that count them",
            )
        if settings.domain_key == LOCAL_DOMAIN_KEY:
            CfnOutput(
                self,
                "Next",
                value=f"Register {cdn.address} at "
                "https://platform.openai.com/settings/organization/security/domain-allowlist "
                "and deploy again with -c domainKey=<its key>",
                description="What to do next",
            )


def _upload_origins(settings: StackSettings) -> list[str]:
    """The origins whose pages may upload and fetch files: ours, the allowed ones, ChatKit's frame.

    Without a domain the page's address comes from the distribution, which depends on the
    bucket, so any CloudFront address is allowed here. The signature in each URL protects a file.
    """
    page = f"https://{settings.domain_name}" if settings.domain_name else "https://*.cloudfront.net"
    return [page, *settings.allowed_origins, CHATKIT_CDN]
