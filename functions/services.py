"""The composition root: makes everything that both functions use, once for each app."""

from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Self

from fastapi import Depends, Request

from .attachments import S3AttachmentStore
from .aws import owner_sessions
from .aws.bucket import Bucket
from .aws.keys import named
from .context import RequestContext
from .errors import PublicError
from .llm import ModelChoice, choose
from .settings import Settings
from .store import DynamoDBStore, Quota, Records, Runs, Sessions
from .store.table import Table
from .toolkit import Assistant, Documents
from .voice.dictation import Dictation
from .voice.transcription import Transcriber
from .web.identity import Identity, Visitor, identity_of
from .web.identity.bearer import unauthorized


@dataclass(frozen=True)
class Services:
    """Everything that the endpoints use: storage, the assistant, the models, identity and voice."""

    settings: Settings
    assistant: Assistant
    models: ModelChoice
    identity: Identity
    store: DynamoDBStore
    attachments: S3AttachmentStore
    runs: Runs
    sessions: Sessions
    quota: Quota
    records: Records
    bucket: Bucket
    transcriber: Transcriber

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The services for `settings`. Opens no connection and reads no secret.

        Raises `ValueError` for invalid settings.
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
            sessions=Sessions(table),
            quota=Quota(
                table,
                per_user=settings.messages_per_minute,
                per_day=settings.messages_per_day,
                stage_table=Table(settings.table, nobodys=True) if settings.data_role else table,
            ),
            records=Records(table),
            bucket=bucket,
            transcriber=Transcriber(settings),
        )

    @property
    def dictation(self) -> Dictation:
        return Dictation(self.transcriber, self.quota)

    async def check_session(self, visitor: Visitor) -> None:
        """Raise `PublicError` (401) when the visitor has signed out everywhere since.

        One request, none for a new visitor. After a 401 the page opens a session and tries again.
        Somebody with an account has to enter their password again, which RFC 9470 has a code for.
        """
        if visitor.new or not await self.sessions.is_over(visitor, visitor.began):
            return
        if visitor.signed_in:
            message = "You have signed out everywhere. Please sign in again."
            raise unauthorized(message, "insufficient_user_authentication")
        raise unauthorized("You have signed out. Reload the page to start anew.", "invalid_token")

    def documents(self, context: RequestContext) -> Documents:
        """The documents of the user who sent the request."""
        return Documents(self.records, context)


def load_assistant(module: str | None) -> Assistant:
    """The `assistant` in the module with this dotted name; the starter's when it is None.

    Raises `ValueError` when there is no such module or when it has no `assistant`.
    """
    try:
        found = (
            import_module(".assistant", __package__) if module is None else import_module(module)
        )
    except ModuleNotFoundError as error:
        if module is None or error.name is None or not module.startswith(error.name):
            raise  # an import inside the module failed
        raise ValueError(f"CHATKIT_ASSISTANT={module}: there is no such module") from None
    assistant = getattr(found, "assistant", None)
    if not isinstance(assistant, Assistant):
        raise ValueError(f"CHATKIT_ASSISTANT={module}: it has no `assistant`")  # noqa: TRY004 - bad input
    return assistant


def services_of(request: Request) -> Services:
    """The services of the app that received the request."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


async def unchecked_visitor_of(request: Request, services: ServicesDep) -> Visitor:
    """The visitor who sent the request, for whom the request acts from here on.

    They may have signed out: see `Services.check_session`.
    """
    return await act_for_visitor(request, services)


async def act_for_visitor(
    request: Request, services: Services, challenge: str | None = None
) -> Visitor:
    """As `unchecked_visitor_of`; a `challenge` that was solved lets somebody new in."""
    visitor = await services.identity.identify(request, challenge)
    try:
        owner_sessions.act_for(named(visitor.user_id))
    except ValueError:
        raise PublicError(403, "This account's id cannot be used here.") from None
    return visitor


UncheckedVisitorDep = Annotated[Visitor, Depends(unchecked_visitor_of)]
"""For an endpoint that calls `check_session` itself, such as beside its other reads."""


async def visitor_of(visitor: UncheckedVisitorDep, services: ServicesDep) -> Visitor:
    """The visitor who sent the request. Raises `PublicError` (401) when they have signed out."""
    await services.check_session(visitor)
    return visitor


VisitorDep = Annotated[Visitor, Depends(visitor_of)]
