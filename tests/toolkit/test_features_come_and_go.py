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


ASK = """\
import asyncio, sys
from agents import Agent, RunConfig, Runner
from functions.assistant import assistant
from functions.llm.demo import DemoModel
tools = [tool.function_tool for tool in assistant.tools]
model = DemoModel(assistant.demo())
quiet = RunConfig(tracing_disabled=True)
agent = Agent(name="a", model=model, tools=tools)
print(asyncio.run(Runner.run(agent, sys.argv[1], run_config=quiet)).final_output)
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
    return set(printed(copy, PROGRAM).split())


def printed(copy, program, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=copy.parents[1],
        env={"CHATKIT_COOKIE_KEY": "k" * 32},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_the_tool_in_the_readme_is_called_by_the_demo_after_one_line_in_its_rules(copy):
    readme = (ROOT / "README.md").read_text()
    name, feature, line = re.search(
        r"`functions/assistant/(features/\w+\.py)`:\n\n```python\n(.*?)```.*?```python\n(.*?)\n```",
        readme,
        re.DOTALL,
    ).groups()
    (copy / name).write_text(feature)
    rules = copy / "demo.py"
    rules.write_text(rules.read_text().replace("RULES = (\n", f"RULES = (\n{line},\n"))
    question = re.search(r"ask “(Roll .*?)”", readme)[1]
    assert re.fullmatch(r"Here it is: \*\*\d+\*\*\n", printed(copy, ASK, question))
