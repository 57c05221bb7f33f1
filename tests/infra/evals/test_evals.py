"""`make eval` asks the questions of a folder, prints what came of them, and exits by it."""

import asyncio

import pytest

from functions.settings import forget_settings
from infra.evals.__main__ import main
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

RIGHT = """
[[question]]
say = "What is 2 + 3?"
contains = "5"
called = { add = { a = "2" } }
not_called = "multiply"
judge = "It is a sum."
max_tokens = 10
"""

WRONG = """
[[question]]
say = ["Hello", "What is 2 * 3?"]
contains = ["6", "seven"]
not_contains = "6"
called = ["add"]
"""


@pytest.fixture(autouse=True)
def the_sample(monkeypatch):
    monkeypatch.setenv("CHATKIT_ASSISTANT", "tests.assistants.sample")
    forget_settings()
    yield
    forget_settings()


@pytest.fixture
def evaluate(tmp_path, capsys):
    """The exit code, and what was printed as the table and as the progress."""

    async def run(*questions, arguments=()):
        for number, question in enumerate(questions):
            (tmp_path / f"{number}.toml").write_text(question)
        code = await asyncio.to_thread(main, [str(tmp_path), *arguments])
        return code, *capsys.readouterr()

    return run


async def test_the_demo_answers_without_a_key_and_what_needs_one_is_skipped(evaluate):
    code, table, progress = await evaluate(RIGHT)
    assert code == 0
    assert "pass  What is 2 + 3?" in table
    assert "judge: skipped: no key" in table
    assert "skipped: the model reports no tokens" in table
    assert "1 of 1 passed" in table
    assert "1/1  What is 2 + 3? … passed" in progress


async def test_a_check_that_fails_is_told_with_its_reason_and_by_the_exit_code(evaluate):
    code, table, progress = await evaluate(RIGHT, WRONG)
    assert code == 1
    assert "FAIL  Hello / What is 2 * 3?" in table
    assert "contains 'seven': failed, “" in table
    assert "does not contain '6': failed" in table
    assert "calls add(): failed, called: multiply({'a': '2', 'b': '3'})" in table
    assert "contains '6'" not in table
    assert "1 of 2 passed" in table
    assert "FAILED" in progress


async def test_only_the_questions_with_some_words_are_asked(evaluate):
    code, table, _ = await evaluate(RIGHT, WRONG, arguments=["-k", "2 + 3"])
    assert code == 0
    assert "1 of 1 passed" in table


async def test_a_real_model_answers_and_judges_and_its_tokens_and_price_are_shown(
    evaluate, monkeypatch
):
    model = OpenAIServer(Say("The sum is 5."), Say("FAIL. It is not friendly."))
    with served(model.app) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("CHATKIT_MODEL", "test")
        monkeypatch.setenv("CHATKIT_MODEL_API", "responses")
        monkeypatch.setenv("CHATKIT_PRICES", '{"test": {"input": 1000, "output": 1000}}')
        forget_settings()
        code, table, _ = await evaluate(
            '[[question]]\nsay = "2 + 3?"\ncontains = "5"\njudge = "It is friendly."\n'
            "max_tokens = 1\n"
        )
    assert code == 1
    assert "judge: It is friendly.: failed, “FAIL. It is not friendly.”" in table
    assert "at most 1 tokens: failed" in table
    row = next(line for line in table.splitlines() if line.startswith("FAIL"))
    assert " s " in row
    assert "$0.0" in row
    assert "It is friendly." in str(model.requests[1])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[question]]\ncontains = 'a'", "say: Field required"),
        ("[[question]]\nsay = 'a'\ncontain = 'a'", "contain: Extra inputs"),
        ("[[question", "0.toml"),
        ("", "question: Field required"),
    ],
)
async def test_a_wrong_file_is_named_with_its_fault(evaluate, text, told):
    code, _, progress = await evaluate(text)
    assert code == 2
    assert told in progress


async def test_an_assistant_in_a_package_has_its_questions_beside_its_code(monkeypatch, capsys):
    monkeypatch.setenv("CHATKIT_ASSISTANT", "examples.minimal")
    forget_settings()
    assert await asyncio.to_thread(main, []) == 0
    assert "Roll a die with 20 sides" in capsys.readouterr().out


async def test_a_folder_without_questions_says_so(evaluate):
    code, _, progress = await evaluate()
    assert code == 2
    assert "has no questions" in progress
