"""The project's functions as the template describes them, with bundles that run here.

The bundles are the ones that `make deploy` uploads for x86_64, run by a Python of Lambda's
version. A machine without such a Python, or with another CPU, gets bundles built for its own.
"""

import functools
import os
import platform
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values

from functions.settings import ROOT, get_settings
from infra.bundle import PYTHON, build
from infra.bundling import bytecode
from infra.emulator.environment import Configuration

# As in infra.stack.environment and infra.stack.stage_functions; a test compares them with the
# template.
WRAPPER = "/var/task/functions/lambda_stream/bootstrap"
CHAT_HANDLER = "functions.chat.handler.app"
ACTIONS_HANDLER = "functions.actions.handler.handler"
EVENTS_HANDLER = "functions.events.handler.handler"
CHANGES_HANDLER = "functions.changes.handler.handler"
INGEST_HANDLER = "functions.ingest.handler.handler"
_PASSED_ON = (
    "CHATKIT_", "OPENAI_", "GEMINI_", "AZURE_OPENAI_",
    "AWS_ENDPOINT_URL", "AWS_BEDROCK_BASE_URL", "AWS_BEARER_TOKEN_BEDROCK",
)  # fmt: skip


@dataclass(frozen=True)
class Bundle:
    """A built bundle and the interpreter that runs it; None is this process's own."""

    task_root: Path
    python: Path | None


@functools.cache
def lambda_python() -> Path | None:
    """A Python that runs the bundles as they are deployed, or None."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return None
    return bytecode.find_python(PYTHON, download=False)


def bundle(
    function: str, *, gemini_transcribes: bool = False, assistant: str | None = None
) -> Bundle:
    """The bundle of `chat`, `actions` or `ingest` that runs on this machine."""
    python = lambda_python()
    built = build(
        function,
        host=python is None,
        architecture="x86_64",
        gemini_transcribes=gemini_transcribes,
        assistant=assistant,
    )
    return Bundle(built, python)


def description() -> str:
    """Says in one line which bundles run here."""
    if (python := lambda_python()) is not None:
        return f"The bundles run as they are deployed for x86_64, on {python}."
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return (
        f"The bundles are built for this machine's Python {own}, not as they are deployed: "
        f"that needs Linux on x86_64 and a Python {PYTHON} (`uv python install {PYTHON}`)."
    )


def passed_on() -> dict[str, str]:
    """The settings of `.env`, `.env.local` and this shell; a later one overrides an earlier one.

    An empty variable overrides nothing, as in `functions.settings`.
    """
    places = (dotenv_values(ROOT / ".env"), dotenv_values(ROOT / ".env.local"), os.environ)
    return {
        name: value
        for place in places
        for name, value in place.items()
        if name.startswith(_PASSED_ON) and value
    }


class Configurations(NamedTuple):
    """The functions; `ingest` is None where the assistant knows no documents."""

    chat: Configuration
    actions: Configuration
    events: Configuration
    changes: Configuration
    ingest: Configuration | None


def configurations(cloud: dict[str, str]) -> Configurations:
    """The functions. `cloud` holds the variables that lead to the table and the bucket.

    The functions also get the settings of this shell and of `.env`, as they would get the
    stack's.
    """
    environment = {
        "CHATKIT_COOKIE_KEY": secrets.token_hex(32),
        **passed_on(),
        **cloud,
        "CHATKIT_BEHIND_CLOUDFRONT": "true",  # infra.emulator.edge stands for it
        "CHATKIT_PURGE": "stream",
    }
    settings = get_settings()
    chat = bundle("chat", assistant=settings.assistant)
    actions = bundle(
        "actions",
        gemini_transcribes=settings.voice_provider == "gemini",
        assistant=settings.assistant,
    )
    # What this shell has on PYTHONPATH lies beside the bundles, as a layer would.
    beside = tuple(Path(folder) for folder in os.environ.get("PYTHONPATH", "").split(":") if folder)

    def made(make: Callable[..., Configuration], built: Bundle) -> Configuration:
        return replace(make(built.task_root, environment, python=built.python), packages=beside)

    return Configurations(
        made(chat_configuration, chat),
        made(actions_configuration, actions),
        made(events_configuration, actions),
        made(changes_configuration, actions),
        made(ingest_configuration, bundle("ingest")) if settings.knowledge else None,
    )


def chat_configuration(
    task_root: Path, environment: dict[str, str], *, python: Path | None = None
) -> Configuration:
    return Configuration(
        name="chat",
        task_root=task_root,
        python=python,
        handler=CHAT_HANDLER,
        wrapper=WRAPPER,
        environment=environment,
        timeout=300,
    )


def actions_configuration(
    task_root: Path, environment: dict[str, str], *, python: Path | None = None
) -> Configuration:
    return Configuration(
        name="actions",
        task_root=task_root,
        python=python,
        handler=ACTIONS_HANDLER,
        environment=environment,
        timeout=60,
        memory=1024,
    )


def events_configuration(
    task_root: Path, environment: dict[str, str], *, python: Path | None = None
) -> Configuration:
    """From the bundle of `actions`, which has the code of `events` too."""
    return Configuration(
        name="events",
        task_root=task_root,
        python=python,
        handler=EVENTS_HANDLER,
        environment=environment,
        timeout=300,
        memory=512,
    )


def changes_configuration(
    task_root: Path, environment: dict[str, str], *, python: Path | None = None
) -> Configuration:
    """From the bundle of `actions`, which has the code of `changes` too."""
    return Configuration(
        name="changes",
        task_root=task_root,
        python=python,
        handler=CHANGES_HANDLER,
        environment=environment,
        timeout=60,
        memory=512,
    )


def ingest_configuration(
    task_root: Path, environment: dict[str, str], *, python: Path | None = None
) -> Configuration:
    return Configuration(
        name="ingest",
        task_root=task_root,
        python=python,
        handler=INGEST_HANDLER,
        environment=environment,
        timeout=900,
        memory=1769,
    )


if __name__ == "__main__":
    sys.stdout.write(f"{description()}\n")
