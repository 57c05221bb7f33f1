"""Assistants for the engine's tests, which do not depend on the starter."""

from pathlib import Path

FOLDER = Path(__file__).parent

SAMPLE = {"CHATKIT_ASSISTANT": "sample"}
"""The environment of a process that has `FOLDER` on its path."""
