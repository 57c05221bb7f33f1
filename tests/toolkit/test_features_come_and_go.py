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
    tool.function_tool
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


def test_the_two_files_of_the_documentation_are_a_feature_and_go_with_it(copy):
    for file in [*(copy / "features").glob("[a-z]*.py"), *(copy / "widgets").glob("*.widget")]:
        file.unlink()
    assert tools_and_actions(copy) == set(), "an assistant without features starts"

    page = (ROOT / "docs" / "actions.md").read_text()
    widget, feature = (
        re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]
        for language in ("json", "python")
    )
    (copy / "widgets" / "meal.widget").write_text(widget)
    (copy / "features" / "meals.py").write_text(feature)
    assert tools_and_actions(copy) == {"plan_meal", "meal.cook"}
