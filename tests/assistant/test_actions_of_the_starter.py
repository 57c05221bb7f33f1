"""What the starter's actions are, for those that it has."""

import pytest

from functions.assistant import assistant

KINDS = {
    "task.toggle": "sync",
    "contact.save": "sync",
    "choice.pick": "answer",
    "theme.applied": "sync",
}


@pytest.mark.parametrize("name", [name for name in KINDS if name in assistant.actions])
def test_an_action_is_of_its_kind(name):
    assert assistant.actions[name].kind == KINDS[name]


def test_the_page_handles_its_own_action():
    assert "theme.set" not in assistant.actions
