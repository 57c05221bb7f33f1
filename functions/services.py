"""The composition root: makes everything that both apps use, once for each app."""

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Self

from fastapi import Depends, Request

from . import aws
from .attachments import S3AttachmentStore
from .aws import owner_sessions
from .aws.bucket import Bucket
from .aws.keys import named
from .aws.secret_values import read_secret
from .context import RequestContext
from .errors import PublicError
from .limits import Limits, Use
from .limits.answer_use import check_prices
from .llm import DemoScript, ModelChoice, build, choose
from .mcp.connections import Connections
from .settings import Settings, sendable_key
from .store import DynamoDBStore, Records, Runs, Sessions
from .store.report import Reports
from .store.table import Table
from .toolkit import Assistant, Documents
from .toolkit.default_model import name_the_chosen_model
from .toolkit.routes import Caller
from .voice.dictation import Dictation
from .voice.transcription import Transcriber
from .web.identity import Identity, Visitor, identity_of, request_context
from .web.identity.bearer import unauthorized
from .web.identity.signing_key import SigningKeys, signing_keys
from .web.identity.turnstile import CHALLENGE_REQUIRED
from .web.network import network_of

if TYPE_CHECKING:
    from agents import Model

    from .knowledge.search import Knowledge
    from .otlp import Collector

BuildModel = Callable[[ModelChoice, str, str, DemoScript], "Model"]
"""`functions.llm.build`, or what takes its place."""


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
    limits: Limits
    network_key: SigningKeys | None
    """The key of the networks' digests; `None` where networks have no limits."""
    records: Records
    reports: Reports
    bucket: Bucket
    transcriber: Transcriber
    mcp: Connections
    knowledge: "Knowledge | None" = None
    """`None` where no documents are indexed."""
    build_model: BuildModel = build
    collector: "Collector | None" = None
    """Gets the traces of runs; `None` where nobody collects them."""
    runs_begun: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(
        cls, settings: Settings, table: Table | None = None, bucket: Bucket | None = None
    ) -> Self:
        """The services for `settings`. Opens no connection and reads no secret.

        `table` and `bucket` are those of the settings unless they are given. Raises `ValueError`
        for invalid settings.
        """
        table = table or Table(settings.table)
        bucket = bucket or Bucket(settings.attachments_bucket)
        shared = Table(settings.table, nobodys=True) if settings.data_role else table
        limits = Limits(settings.limit_table, table, shared)
        models = choose(settings)
        _check_mcp_servers(settings)
        check_prices(limits, settings.prices, models.every_name)
        return cls(
            settings=settings,
            assistant=load_assistant(settings.assistant),
            models=models,
            identity=identity_of(settings),
            store=DynamoDBStore(
                table, bucket=bucket, retention_days=settings.retention_days, purge=settings.purge
            ),
            attachments=S3AttachmentStore(
                bucket, max_bytes=settings.attachment_max_bytes, types=settings.attachment_types
            ),
            runs=Runs(table),
            sessions=Sessions(table),
            limits=limits,
            network_key=signing_keys(settings) if limits.count_networks else None,
            records=Records(table),
            reports=Reports(shared),
            bucket=bucket,
            transcriber=Transcriber(settings),
            mcp=Connections(_header_secret),
            knowledge=_knowledge_of(settings, bucket),
            collector=_collector_of(settings),
        )

    @property
    def summarises(self) -> bool:
        """Whether long conversations are summarised. The offline demo cannot do it."""
        return self.settings.summaries and self.models.provider != "demo"

    def begins_first_run(self) -> bool:
        """Whether the run that begins now is the first of this process: a cold start."""
        return next(self.runs_begun) == 0

    @property
    def dictation(self) -> Dictation:
        return Dictation(self.transcriber, self.limits)

    async def identify(self, request: Request) -> Visitor:
        """The visitor who sent the request, and the network that it came from.

        Raises `PublicError` like `Identity.identify`. A request that needs a challenge first is
        counted here, because there is nobody who can be counted later.
        """
        try:
            visitor = await self.identity.identify(request)
        except PublicError as refused:
            if refused.code == CHALLENGE_REQUIRED:
                await self.count_unknown(request)
            raise
        return replace(visitor, network=await self.network_of(request))

    async def count_unknown(self, request: Request) -> None:
        """Count a request without an identity, for its network and the stage only.

        Raises `OverLimit`.
        """
        context = RequestContext(user_id="", network=await self.network_of(request))
        await self.limits.spend(context, Use(requests=1), known=False)

    async def network_of(self, request: Request) -> str | None:
        """The digest of the network that the request came from; `None` without limits for it."""
        if self.network_key is None:
            return None
        return await network_of(request, self.settings, self.network_key)

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
        return Documents(self.records, context, self.assistant.thread_data)


def _knowledge_of(settings: Settings, bucket: Bucket) -> "Knowledge | None":
    if not settings.knowledge:
        return None
    from .knowledge.search import Knowledge  # noqa: PLC0415 - only stages with documents need it

    return Knowledge.of(settings, bucket)


def _collector_of(settings: Settings) -> "Collector | None":
    if settings.otlp_endpoint is None:
        return None
    from .otlp import Collector  # noqa: PLC0415 - only where traces are collected

    given, secret = settings.otlp_headers, settings.otlp_headers_secret

    async def headers() -> str:
        if given is not None:
            return given.get_secret_value()
        return await read_secret(secret) if secret else ""

    return Collector(settings.otlp_endpoint, headers)


async def _header_secret(name: str) -> str:
    """The value of a secret, which goes into a header."""
    return sendable_key(await read_secret(name))


def _check_mcp_servers(settings: Settings) -> None:
    for server in settings.mcp_servers:
        if server.exchange is not None and settings.auth != "oidc":
            raise ValueError(
                f"CHATKIT_MCP_SERVERS: the exchange of {server.name} needs CHATKIT_AUTH=oidc"
            )


def load_assistant(module: str | None) -> Assistant:
    """The `assistant` in the module with this dotted name; the starter's when it is None.

    It is an `Assistant`, or an agent of the Agents SDK. Raises `ValueError` when there is no such
    module or when it has no `assistant`.
    """
    name_the_chosen_model()
    try:
        found = (
            import_module(".assistant", __package__) if module is None else import_module(module)
        )
    except ModuleNotFoundError as error:
        if module is None or error.name is None or not module.startswith(error.name):
            raise  # an import inside the module failed
        raise ValueError(f"CHATKIT_ASSISTANT={module}: there is no such module") from None
    assistant = getattr(found, "assistant", None)
    agents = sys.modules.get("agents")  # importing it takes a second
    if agents is not None and isinstance(assistant, agents.Agent):
        return Assistant(agent=assistant)
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


async def act_for_visitor(request: Request, services: Services) -> Visitor:
    """As `unchecked_visitor_of`, for an endpoint that may go on without a visitor."""
    visitor = await services.identify(request)
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


async def counted_visitor_of(
    request: Request, visitor: UncheckedVisitorDep, services: ServicesDep
) -> Visitor:
    """The same, for a request that changes something: it is counted, in the same round trip.

    Raises `OverLimit` (429), too.
    """
    context = request_context(request, visitor)
    await aws.together(
        services.check_session(visitor),
        services.limits.spend(context, Use(requests=1), known=not visitor.new),
    )
    return visitor


CountedVisitorDep = Annotated[Visitor, Depends(counted_visitor_of)]


async def introduce_caller(
    request: Request, visitor: CountedVisitorDep, services: ServicesDep
) -> None:
    """Tell a route of the assistant who calls it: see `toolkit.routes`."""
    context = request_context(request, visitor)
    request.state.caller = Caller(context, services.documents(context), services.store)
