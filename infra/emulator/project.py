"""The project's two functions as the template describes them, from the bundles of this machine."""

import os
import secrets
from pathlib import Path

from dotenv import dotenv_values

from functions.settings import ROOT, get_settings
from infra.bundle import build
from infra.emulator.environment import Configuration

# As in infra.stack.environment and infra.stack.chatkit_stack; tests/infra compares them with the template.
WRAPPER = "/var/task/functions/lambda_stream/bootstrap"
CHAT_HANDLER = "functions.chat.handler.app"
ACTIONS_HANDLER = "functions.actions.handler.handler"
_HANDED_ON = ("CHATKIT_", "OPENAI_", "GEMINI_", "AWS_ENDPOINT_URL")


def configurations(cloud: dict[str, str]) -> tuple[Configuration, Configuration]:
    """Chat and actions. `cloud`: where the table and the bucket are, as variables.

    Settings of this shell and of `.env` reach the functions, as the stack would hand them over.
    """
    told = {**dotenv_values(ROOT / ".env"), **dotenv_values(ROOT / ".env.local"), **os.environ}
    environment = {
        "CHATKIT_COOKIE_KEY": secrets.token_hex(32),
        **{name: value for name, value in told.items() if name.startswith(_HANDED_ON) and value},
        **cloud,
    }
    return (
        chat_configuration(build("chat", host=True), environment),
        actions_configuration(
            build(
                "actions", host=True, gemini_transcribes=get_settings().voice_provider == "gemini"
            ),
            environment,
        ),
    )


def chat_configuration(task_root: Path, environment: dict[str, str]) -> Configuration:
    return Configuration(
        name="chat",
        task_root=task_root,
        handler=CHAT_HANDLER,
        wrapper=WRAPPER,
        environment=environment,
        timeout=300,
    )


def actions_configuration(task_root: Path, environment: dict[str, str]) -> Configuration:
    return Configuration(
        name="actions",
        task_root=task_root,
        handler=ACTIONS_HANDLER,
        environment=environment,
        timeout=60,
        memory=1024,
    )
