"""Adding the files of a feature adds it, and deleting them removes it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """\
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
    """The assistant's folder in a copy of `functions`, which a test may change."""
    shutil.copytree(
        ROOT / "functions", tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path / "functions" / "assistant"


def tools_and_actions(copy):
    """Starts both functions of the copy. Returns the names of its tools and actions."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=copy.parents[1],
        env={"CHATKIT_COOKIE_KEY": "k" * 32},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_an_assistant_without_features_starts_and_the_documentations_files_add_one(copy):
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
