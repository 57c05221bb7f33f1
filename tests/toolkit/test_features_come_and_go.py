"""A feature is its own files: adding them adds it, and deleting them removes it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STARTS = """\
from functions.assistant import assistant
from functions.actions.app import create_app as create_actions
from functions.chat.app import create_app as create_chat
create_chat(), create_actions()
for tool in assistant.tools:
    tool.for_agent()
print(*sorted(tool.name for tool in assistant.tools), *sorted(assistant.actions))
"""


@pytest.fixture
def copy(tmp_path):
    """A copy of what ships, to add files to and delete files from."""
    shutil.copytree(
        ROOT / "functions", tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path / "functions" / "assistant"


def tools_and_actions(copy):
    """Starts both functions of the copy; gives the assistant's tools and actions."""
    done = subprocess.run(
        [sys.executable, "-c", STARTS],
        cwd=copy.parents[1],
        env={"CHATKIT_COOKIE_KEY": "k" * 32},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_two_files_of_the_documentation_add_a_tool_and_an_action(copy):
    before = tools_and_actions(copy)
    page = (ROOT / "docs" / "actions.md").read_text()
    widget, feature = (
        re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]
        for language in ("json", "python")
    )
    (copy / "widgets" / "meal.widget").write_text(widget)
    (copy / "features" / "meals.py").write_text(feature)
    assert tools_and_actions(copy) - before == {"plan_meal", "meal.cook"}


def test_a_feature_goes_with_its_files_and_everything_else_starts(copy):
    before = tools_and_actions(copy)
    (copy / "features" / "checklist.py").unlink()
    (copy / "widgets" / "checklist.widget").unlink()
    assert before - tools_and_actions(copy) == {"show_checklist", "task.toggle"}


def test_an_assistant_without_features_starts(copy):
    for file in (copy / "features").glob("[a-z]*.py"):
        file.unlink()
    assert tools_and_actions(copy) == set()
