"""Who gets which of the rights in `permissions.py`, by the settings of a stage."""

from constructs import Construct

from infra.stack import embedding, models
from infra.stack.changes import Changed
from infra.stack.data import StageData
from infra.stack.data_role import DataRole
from infra.stack.deployer import Deployer
from infra.stack.knowledge import Reading, VectorBucket
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
from infra.stack.settings import StackSettings
from infra.stack.stage_functions import StageFunctions


def allow_answers(settings: StackSettings, functions: StageFunctions, data: StageData) -> None:
    """The rights to ask models, and to read the keys for what is asked."""
    secrets = data.secrets
    allow_secrets(functions.chat, secrets, models=[*secrets.models], turnstile=True, mcp=True)
    allow_collector(functions.chat, secrets.collector)
    allow_guardrail(functions.chat, settings.bedrock_guardrail)
    transcribes = settings.transcribes and settings.transcription_base_url is None
    allow_secrets(
        functions.actions,
        secrets,
        models=[settings.provider] if transcribes else [],
        turnstile=False,  # it opens no sessions, so it verifies no challenge
        mcp=False,  # it runs no agent
    )
    allow_models(functions.chat, models.chosen(settings))


def allow_data(
    scope: Construct,
    settings: StackSettings,
    functions: StageFunctions,
    changed: Changed,
    data: StageData,
) -> None:
    """The rights to people's rows and files. With `isolation=session` this makes the data role."""
    table, files, key = data.table, data.files, data.key
    isolated = settings.isolation == "session"
    allow_sweep(functions.sweep, table=table, files=files, key=key, isolated=isolated)
    if isolated:
        allow_counters(functions.chat, table=table, key=key)
        allow_report(functions.chat, table=table)
        allow_counters(functions.actions, table=table, key=key)
        allow_records(functions.events, key=key)
        allow_changes(changed.function, table=table, key=key, texts_in=None)
        by_session = [functions.chat, functions.actions, functions.events, functions.sweep]
        if settings.reads_texts:
            by_session.append(changed.function)
        role = DataRole(scope, "Data", functions=by_session)
        allow_owner(role, table=table, files=files, key=key)
    else:
        allow_chat(functions.chat, table=table, files=files, key=key)
        allow_actions(functions.actions, table=table, files=files, key=key)
        allow_events(functions.events, table=table, files=files, key=key)
        texts_in = files if settings.reads_texts else None
        allow_changes(changed.function, table=table, key=key, texts_in=texts_in)


def allow_documents(
    settings: StackSettings,
    functions: StageFunctions,
    data: StageData,
    *,
    reading: Reading,
    vectors: VectorBucket,
) -> None:
    """The rights to search documents, to read them into the index, and to ask the model that
    makes the vectors.
    """
    chat, secrets, key = functions.chat, data.secrets, data.key
    isolated = settings.isolation == "session"
    allow_search(chat, vectors=vectors, files=data.files, key=key, isolated=isolated)
    model = embedding.model_of(settings)
    allow_embedding(chat, model, secrets.embedding)  # it reads the models' keys anyway
    secret = secrets.embedding or secrets.models.get(models.embedding_key(settings) or "")
    allow_embedding(reading.ingest, model, secret)
    allow_ingest(
        reading.ingest,
        table=data.table,
        vectors=vectors,
        files=data.files,
        key=key,
        reads_secret=secret is not None,
    )


def allow_deploys(
    scope: Construct,
    settings: StackSettings,
    functions: StageFunctions,
    changed: Changed,
    data: StageData,
) -> None:
    """Make the role with which GitHub Actions deploy, if the settings name their repository."""
    if settings.github_repository is None:
        return
    secrets = [*data.secrets.models.values(), *filter(None, [data.secrets.turnstile])]
    ours = [functions.chat, functions.actions, functions.events, changed.function, functions.sweep]
    deployer = Deployer(
        scope,
        "Deployer",
        repository=settings.github_repository,
        stage=settings.stage,
        secrets=[secret.arn for secret in secrets],
        functions=[each.function for each in ours],
    )
    allow_table_version(deployer, table=data.table, key=data.key)
