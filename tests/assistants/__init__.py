"""Assistants of the tests: the engine's tests run on these, and never on the starter."""

from dataclasses import replace
from pathlib import Path

from infra.emulator.environment import Configuration

FOLDER = Path(__file__).parent

SAMPLE = {"CHATKIT_ASSISTANT": "sample"}
"""For a process that has `FOLDER` on its path."""


def with_sample(configuration: Configuration) -> Configuration:
    """A function whose bundle, which has no tests in it, runs on the sample."""
    return replace(
        configuration,
        environment={**configuration.environment, **SAMPLE},
        packages=(*configuration.packages, FOLDER),
    )
