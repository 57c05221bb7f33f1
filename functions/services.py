"""The composition root: makes what both functions are made of, once for each app."""

from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Self

from fastapi import Depends, Request

from .attachments import S3AttachmentStore
from .aws.bucket import Bucket
from .context import RequestContext
from .llm import ModelChoice, choose
from .settings import Settings
from .store import DynamoDBStore, Quota, Records, Runs
from .store.table import Table
from .toolkit import Assistant, Documents
from .voice.dictation import Dictation
from .voice.transcription import Transcriber
from .web.identity import AnonymousIdentity, Visitor, identity_of


@dataclass(frozen=True)
class Services:
    """The table, the bucket and what is kept in them, the assistant, and who asks and answers."""

    settings: Settings
    assistant: Assistant
    models: ModelChoice
    identity: AnonymousIdentity
    store: DynamoDBStore
    attachments: S3AttachmentStore
    runs: Runs
    quota: Quota
    records: Records
    bucket: Bucket
    transcriber: Transcriber

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The services that `settings` describe. Opens no connection and reads no secret.

        Raises `ValueError`, in words, for settings that make no sense.
        """
        table, bucket = Table(settings.table), Bucket(settings.attachments_bucket)
        return cls(
            settings=settings,
            assistant=load_assistant(settings.assistant),
            models=choose(settings),
            identity=identity_of(settings),
            store=DynamoDBStore(
                table, bucket=bucket, retention_days=settings.retention_days, purge=settings.purge
            ),
            attachments=S3AttachmentStore(
                bucket, max_bytes=settings.attachment_max_bytes, types=settings.attachment_types
            ),
            runs=Runs(table),
            quota=Quota(
                table, per_user=settings.messages_per_minute, per_day=settings.messages_per_day
            ),
            records=Records(table),
            bucket=bucket,
            transcriber=Transcriber(settings),
        )

    @property
    def dictation(self) -> Dictation:
        return Dictation(self.transcriber, self.quota)

    def documents(self, context: RequestContext) -> Documents:
        """What the assistant keeps for the person who asks."""
        return Documents(self.records, context)


def load_assistant(module: str | None) -> Assistant:
    """The `assistant` of a module, by its dotted name; the starter's when there is no name.

    Raises `ValueError` for a module that cannot be imported or has none.
    """
    try:
        found = (
            import_module(".assistant", __package__) if module is None else import_module(module)
        )
    except ModuleNotFoundError as error:
        if module is None or error.name is None or not module.startswith(error.name):
            raise  # something that the module itself imports
        raise ValueError(f"CHATKIT_ASSISTANT={module}: there is no such module") from None
    assistant = getattr(found, "assistant", None)
    if not isinstance(assistant, Assistant):
        raise ValueError(f"CHATKIT_ASSISTANT={module}: it has no `assistant`")  # noqa: TRY004 - bad input  # noqa: TRY004 - bad input
    return assistant


def services_of(request: Request) -> Services:
    """The services of the app that got a request."""
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(services_of)]


async def visitor_of(request: Request, services: TheServices) -> Visitor:
    """Who sent a request."""
    return await services.identity.identify(request)


TheVisitor = Annotated[Visitor, Depends(visitor_of)]
