"""The functions that every stage has, without their rights to people's data (`rights.py`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.stack import events, sweep
from infra.stack.changes import Changed, changes
from infra.stack.data import StageData
from infra.stack.domain_events import DomainBus
from infra.stack.environment import (
    mcp_servers,
    of_changes,
    of_events,
    of_sweep,
    runtime,
    traces,
)
from infra.stack.function import ServiceFunction, UrlFunction
from infra.stack.settings import StackSettings


@dataclass(frozen=True)
class StageFunctions:
    """`code` is that of all of them but `chat`."""

    chat: UrlFunction
    actions: UrlFunction
    events: ServiceFunction
    sweep: ServiceFunction
    code: lambda_.Code


def stage_functions(
    scope: Stack,
    settings: StackSettings,
    *,
    data: StageData,
    chat_code: Path,
    code: Path,
    variables: dict[str, str],
    knowledge: dict[str, str],
) -> StageFunctions:
    """Make the functions.

    `variables` are those of the functions that people reach, and `knowledge` those of the functions
    that know documents.
    """
    chat = _chat(
        scope,
        settings,
        chat_code,
        {**variables, **knowledge, **mcp_servers(settings), **traces(settings, data.secrets)},
    )
    shared_code = lambda_.Code.from_asset(str(code))
    return StageFunctions(
        chat=chat,
        actions=_actions(scope, settings, shared_code, variables),
        events=_events(scope, settings, shared_code, variables),
        sweep=_sweep(scope, settings, shared_code, variables),
        code=shared_code,
    )


def alike(settings: StackSettings) -> dict[str, Any]:
    """The arguments of `ServiceFunction` that are the same for all functions of a stage."""
    return {
        "architecture": settings.architecture,
        "log_level": settings.log_level,
        "log_retention_days": settings.log_retention_days,
    }


def _chat(
    scope: Stack, settings: StackSettings, code: Path, variables: dict[str, str]
) -> UrlFunction:
    started = runtime(settings, region=scope.region)
    return UrlFunction(
        scope,
        "Chat",
        description=f"ChatKit {settings.stage}: answers, streamed",
        code=lambda_.Code.from_asset(str(code)),
        handler=started.handler,
        memory=settings.chat_memory,
        timeout=settings.chat_timeout,
        concurrency=settings.chat_concurrency,
        environment={**variables, **started.environment},
        layers=started.layers,
        invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM,
        snap_start=settings.snap_start,
        **alike(settings),
    )


def _actions(
    scope: Construct, settings: StackSettings, code: lambda_.Code, variables: dict[str, str]
) -> UrlFunction:
    return UrlFunction(
        scope,
        "Actions",
        description=f"ChatKit {settings.stage}: widget actions and voice",
        code=code,
        handler="functions.actions.handler.handler",
        memory=settings.actions_memory,
        timeout=settings.actions_timeout,
        concurrency=settings.actions_concurrency,
        environment=variables,
        layers=[],
        invoke_mode=lambda_.InvokeMode.BUFFERED,
        snap_start=settings.snap_start,
        **alike(settings),
    )


def _events(
    scope: Construct, settings: StackSettings, code: lambda_.Code, variables: dict[str, str]
) -> ServiceFunction:
    return ServiceFunction(
        scope,
        "Events",
        description=f"ChatKit {settings.stage}: events of the table and of the bucket",
        code=code,
        handler="functions.events.handler.handler",
        memory=events.MEMORY,
        timeout=events.TIMEOUT,
        concurrency=settings.events_concurrency,
        environment=of_events(variables),
        layers=[],
        snap_start=False,  # nobody waits for its start, and a snapshot is billed
        **alike(settings),
    )


def _sweep(
    scope: Construct, settings: StackSettings, code: lambda_.Code, variables: dict[str, str]
) -> ServiceFunction:
    """The function that removes what a crash has left."""
    made = ServiceFunction(
        scope,
        "Sweep",
        description=f"ChatKit {settings.stage}: removes what a crash has left behind",
        code=code,
        handler="functions.events.sweep_handler.handler",
        memory=sweep.MEMORY,
        timeout=sweep.TIMEOUT,
        concurrency=0,  # a lease in the table sees to it that one works at a time
        environment=of_sweep(variables),
        layers=[],
        snap_start=False,
        **alike(settings),
    )
    sweep.start_hourly(made)
    return made


def changes_function(
    scope: Construct,
    settings: StackSettings,
    *,
    data: StageData,
    code: lambda_.Code,
    variables: dict[str, str],
    topic: sns.ITopic | None,
) -> Changed:
    """The function that counts what has changed. With `domainEvents` it publishes on its bus.

    `topic` is that of the alarms.
    """
    changed = changes(
        scope,
        stage=settings.stage,
        table=data.table.table,
        code=code,
        environment=of_changes(variables, settings),
        **alike(settings),
    )
    if settings.publishes:
        bus = DomainBus(scope, "DomainEvents", stage=settings.stage, changed=changed)
        if settings.example == "notify" and topic is not None:
            bus.notify(topic, stage=settings.stage)
    return changed
