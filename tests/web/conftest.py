"""Both apps with no AWS behind them."""

import pytest

from functions.actions.app import create_app as create_actions
from functions.chat.app import create_app as create_chat
from functions.settings import Settings


@pytest.fixture
def make(monkeypatch):
    """`make(allowed_origins=…)` returns both apps. AWS is at a closed port, so no call succeeds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    def apps(**settings):
        given = Settings(_env_file=None, cookie_key="k" * 32, **settings)
        return create_chat(given), create_actions(given)

    return apps
