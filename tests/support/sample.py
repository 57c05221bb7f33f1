"""Gives the sample assistant to a function that runs from its bundle."""

from dataclasses import replace

from infra.emulator.environment import Configuration
from tests.assistants import FOLDER, SAMPLE


def with_sample(configuration: Configuration) -> Configuration:
    """`configuration` with the sample as its assistant. The bundle itself contains no tests."""
    return replace(
        configuration,
        environment={**configuration.environment, **SAMPLE},
        packages=(*configuration.packages, FOLDER),
    )
