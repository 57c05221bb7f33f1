"""What docs/testing.md shows does what it says, with the starter."""

import inspect
import re
from pathlib import Path

import pytest

from functions.assistant import assistant
from functions.settings import forget_settings
from infra.evals.questions import read_questions
from tests.support.openai_server import Call, OpenAIServer, Say
from tests.support.served import served

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
USED = {"calculate", "show_checklist", "switch_theme"}

THERE = {tool.name for tool in assistant.tools} >= USED
pytestmark = pytest.mark.skipif(not THERE, reason="the starter has other tools now")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def coroutines_of(code):
    names = {}
    exec(code, names)
    return {n: f for n, f in names.items() if inspect.iscoroutinefunction(f) and n[:5] == "test_"}


TESTS = {
    name: test
    for code in (blocks("python") if THERE else [])
    for name, test in coroutines_of(code).items()
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with the files that the page shows."""
    golden = tmp_path / "tests" / "assistant" / "sum.md"
    golden.parent.mkdir(parents=True)
    golden.write_text(*blocks("markdown"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recording(folder, monkeypatch):
    """Has the environment of who records, with a model that calls the tool."""
    model = OpenAIServer(Call("calculate", {"expression": "12.5 * (3 + 4)"}), Say("It is 87.5."))
    with served(model.app) as url, monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        patch.setenv("CHATKIT_MODEL", "test")
        patch.setenv("CHATKIT_RECORD", "1")
        forget_settings()
        yield
    forget_settings()


RECORDED = "test_a_real_model_calculates_with_the_tool"


@pytest.mark.parametrize("name", [name for name in TESTS if name != RECORDED])
async def test_its_tests_pass(folder, name):
    await TESTS[name]()


async def test_its_recorded_test_passes_when_it_is_recorded(recording):
    await TESTS[RECORDED]()


def test_its_questions_can_be_read(tmp_path):
    (tmp_path / "questions.toml").write_text(*blocks("toml"))
    (question,) = read_questions(tmp_path)
    assert question.called == {"calculate": {"expression": "12.5 * (3 + 4)"}}
