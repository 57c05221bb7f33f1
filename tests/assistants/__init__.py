"""Assistants of the tests: the engine's tests run on these, and never on the starter."""

from pathlib import Path


def sample_beside() -> dict[str, str]:
    """Variables with which a bundle, which has no tests in it, runs on the sample."""
    return {"CHATKIT_ASSISTANT": "sample", "PYTHONPATH": str(Path(__file__).parent)}
