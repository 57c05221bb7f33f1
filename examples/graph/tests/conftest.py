"""LangGraph is not in `.venv`: it is installed under `.cache/packages` when it is missing there."""

import pytest

from infra.local.own_packages import use_own_packages


@pytest.fixture(scope="session", autouse=True)
def own_packages():
    use_own_packages("examples.graph")
