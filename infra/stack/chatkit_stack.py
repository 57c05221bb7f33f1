"""The whole product as one stack. This module lists what a stage is made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct

from functions.attachments.schema import UPLOADS
from functions.store.schema import STREAM_FILTERS
from infra.stack import embedding
from infra.stack.alarms import Alarms, Spend, alarm_topic
from infra.stack.cdn import Cdn, content_security_policy
from infra.stack.dashboard import Dashboard
from infra.stack.data import stage_data
from infra.stack.documents import read_documents
from infra.stack.domain import add_records, page_domain
from infra.stack.environment import environment, metrics_namespace, settings_from
from infra.stack.events import subscribe
from infra.stack.function import give_logs
from infra.stack.knowledge import VectorBucket
from infra.stack.nag import suppress
from infra.stack.outputs import document_outputs, sign_in_outputs, stage_outputs
from infra.stack.page_config import page_config
from infra.stack.rights import allow_answers, allow_data, allow_deploys, allow_documents
from infra.stack.settings import StackSettings
from infra.stack.sign_in import SignIn
from infra.stack.stage_functions import changes_function, stage_functions
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
        keep = settings.deletion_protection
        super().__init__(scope, construct_id, termination_protection=keep, **stack)

        data = stage_data(self, settings)
        sign_in = self._sign_in(settings)
        variables = environment(
            settings, table=data.table, files=data.files, secrets=data.secrets
        ) | (sign_in.variables if sign_in else {})
        vectors = (
            VectorBucket(self, "Vectors", key=data.key, keep=keep) if settings.knowledge else None
        )
        knowledge = embedding.variables(settings, vectors.name) if vectors else {}

        functions = stage_functions(
            self,
            settings,
            data=data,
            chat_code=bundle("chat"),
            code=bundle("actions"),
            variables=variables,
            knowledge=knowledge,
        )
        topic = alarm_topic(self, email=settings.alarm_email, topic_arn=settings.alarm_topic_arn)
        changed = changes_function(
            self, settings, data=data, code=functions.code, variables=variables, topic=topic
        )
        allow_answers(settings, functions, data)
        allow_data(self, settings, functions, changed, data)
        subscriptions = subscribe(
            functions.events,
            table=data.table.table,
            stream_filters=STREAM_FILTERS,
            bucket=data.files.bucket,
            upload_prefix=UPLOADS,
        )
        # In version 0.1 the actions function got the events. A deploy over it first moves the
        # stream, with its position, and then takes the code and the rights for them away.
        functions.actions.change_after(subscriptions.stream)

        reading = None
        if vectors:
            reading = read_documents(
                self,
                settings,
                data=data,
                vectors=vectors,
                code=bundle("ingest"),
                variables={**embedding.of_ingest(settings, variables), **knowledge},
            )
            document_outputs(self, settings, vectors=vectors, reading=reading)
            allow_documents(settings, functions, data, reading=reading, vectors=vectors)

        site = SiteBucket(self, "Site")
        cdn = Cdn(
            self,
            "Cdn",
            site_bucket=site.bucket,
            chat=functions.chat,
            actions=functions.actions,
            csp=content_security_policy(
                files_bucket=data.files.bucket,
                frame_ancestors=settings.frame_ancestors,
                image_sources=settings.image_sources,
                sign_in=sign_in.origins if sign_in else settings.sign_in_origins,
                challenge=settings.turnstile_site_key is not None,
            ),
            domain=page_domain(self, settings, certificate),
            web_acl_arn=web_acl_arn,
            price_class=settings.price_class,
        )
        self.distribution_id = cdn.distribution.distribution_id
        add_records(self, settings, cdn.distribution)
        if sign_in:
            self._open_sign_in(settings, sign_in, cdn)
        Page(
            self,
            "Page",
            site=site,
            distribution=cdn.distribution,
            built=page,
            config=page_config(settings_from(variables), domain_key=settings.domain_key),
            log_retention_days=settings.log_retention_days,
        )

        alarms = Alarms(
            self,
            "Alarms",
            chat=functions.chat,
            actions_function=functions.actions,
            events=functions.events,
            sweep=functions.sweep,
            changed=changed,
            table=data.table.table,
            dead_letters=subscriptions.dead_letters,
            distribution_id=self.distribution_id,
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
                chat=functions.chat,
                actions_function=functions.actions,
                events=functions.events,
                changes=changed.function,
                alarms=alarms,
                reading=reading,
            )

        allow_deploys(self, settings, functions, changed, data)
        stage_outputs(self, settings, cdn=cdn, functions=functions, data=data)
        give_logs(self, retention_days=settings.log_retention_days)
        suppress(self)

    def _sign_in(self, settings: StackSettings) -> SignIn | None:
        if not settings.sign_in:
            return None
        return SignIn(
            self,
            "SignIn",
            keep=settings.deletion_protection,
            sign_up=settings.sign_up,
            mfa_required=settings.sign_in_mfa == "required",
            claims=settings.claims,
        )

    def _open_sign_in(self, settings: StackSettings, sign_in: SignIn, cdn: Cdn) -> None:
        """Let people come from the page, whose address is known now."""
        sign_in.open(
            [cdn.address, *settings.allowed_origins],
            scopes=settings.scopes,
            providers=settings.sign_in_providers,
            log_retention_days=settings.log_retention_days,
        )
        sign_in_outputs(self, settings, sign_in)
