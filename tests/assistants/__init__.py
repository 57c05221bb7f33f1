"""Assistants for the engine's tests, which do not depend on the starter."""

from dataclasses import replace
from pathlib import Path

from infra.emulator.environment import Configuration

FOLDER = Path(__file__).parent

SAMPLE = {"CHATKIT_ASSISTANT": "sample"}
"""The environment of a process that has `FOLDER` on its path."""


def with_sample(configuration: Configuration) -> Configuration:
    """`configuration` with the sample as its assistant. The bundle itself contains no tests."""
    return replace(
        configuration,
        environment={**configuration.environment, **SAMPLE},
        packages=(*configuration.packages, FOLDER),
    )
