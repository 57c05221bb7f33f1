"""Asks the assistant the questions in a folder: see docs/testing.md.

Exits with 1 when a check fails, and with 2 when there are no questions.
"""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from agents import Agent

from functions.limit_table import Price
from functions.llm import HOW_TO_GET_A_REAL_ONE, choose
from functions.settings import ROOT, get_settings
from functions.toolkit.testing import assistant_under_test, configured
from infra.assistant_package import assistant_package
from infra.evals.checks import Check, check
from infra.evals.questions import Question, QuestionsError, read_questions
from infra.evals.report import Outcome, table
from infra.local.own_packages import PackagesError, use_own_packages


async def ask(question: Question, *, demo: bool, price: Price | None) -> Outcome:
    """Have one question answered, as a new user, and check the answer."""
    model = None if demo else configured()
    answers = []
    try:
        async with assistant_under_test(model=model, roles=question.roles) as chat:
            for text in question.say:
                answers.append(await chat.say(text))  # noqa: PERF401 - one after the other
        checks = await check(question, answers, with_judge=not demo)
    except Exception as error:  # noqa: BLE001 - the other questions go on
        checks = [Check("answer", False, repr(error))]
    return Outcome(question, answers, checks, price)


async def run(questions: list[Question]) -> list[Outcome]:
    """Ask all questions, one after the other, and tell on stderr how far it is."""
    settings = get_settings()
    models = choose(settings)
    demo = models.provider == "demo"
    hint = f": {HOW_TO_GET_A_REAL_ONE}" if demo else ""
    _tell(f"Questions: {len(questions)}. Model: {models.label}{hint}\n")
    await _warm_up()
    outcomes = []
    for number, question in enumerate(questions, start=1):
        _tell(f"{number}/{len(questions)}  {question.name[:60]} … ")
        outcome = await ask(question, demo=demo, price=settings.prices.get(models.names[0]))
        _tell("passed\n" if outcome.passed else "FAILED\n")
        outcomes.append(outcome)
    return outcomes


async def _warm_up() -> None:
    """The first answer of a process takes a second longer, whatever the model is."""
    async with assistant_under_test(Agent(name="Nobody")) as chat:
        await chat.say("Hello")


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _own_folder() -> Path:
    """`evals` beside the code of the assistant that the settings name; the starter's by default."""
    package = assistant_package(get_settings().assistant)
    return (package.folder if package else ROOT) / "evals"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make eval", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where the *.toml are")
    parser.add_argument("-k", metavar="WORDS", default="", help="only questions with these words")
    given = parser.parse_args(arguments)
    try:
        questions = [
            each
            for each in read_questions(given.folder or _own_folder())
            if given.k.casefold() in each.name.casefold()
        ]
    except QuestionsError as error:
        _tell(f"{error}\n")
        return 2
    if not questions:
        _tell(f"no question has {given.k!r}\n")
        return 2
    try:
        use_own_packages(get_settings().assistant)
        outcomes = asyncio.run(run(questions))
    except (ValueError, PackagesError) as error:  # of the settings, or of what the assistant needs
        _tell(f"{error}\n")
        return 2
    sys.stdout.write(f"\n{table(outcomes)}\n")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    logging.getLogger("functions.chat.meter").setLevel(logging.WARNING)  # a line for each answer
    sys.exit(main())
