"""The table of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.limit_table import Price
from functions.toolkit.testing import Said
from infra.evals.checks import Check
from infra.evals.questions import Question

WIDTH = 44
"""Characters of a question in the table."""
UNKNOWN = "-"
HEAD = ("", "question", "first token", "tokens", "cost")


@dataclass(frozen=True)
class Outcome:
    """The answers to one question, and the results of its checks."""

    question: Question
    answers: Sequence[Said]
    checks: Sequence[Check]
    price: Price | None
    """The model's; None where it is unknown."""

    @property
    def passed(self) -> bool:
        return all(check.passed is not False for check in self.checks)

    @property
    def first_token(self) -> str:
        """The longest time until an answer's first text."""
        seconds = [s.first_text_seconds for s in self.answers if s.first_text_seconds is not None]
        return f"{max(seconds):.2f} s" if seconds else UNKNOWN

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens in and out."""
        asked = [each for said in self.answers for each in said.asked]
        return sum(a.input_tokens for a in asked), sum(a.output_tokens for a in asked)

    @property
    def dollars(self) -> float | None:
        if self.price is None or not any(self.tokens):
            return None
        return self.price.microdollars(*self.tokens) / 1_000_000

    @property
    def row(self) -> tuple[str, ...]:
        name, used = self.question.name, sum(self.tokens)
        return (
            "pass" if self.passed else "FAIL",
            name if len(name) <= WIDTH else f"{name[: WIDTH - 1]}…",
            self.first_token,
            f"{used:,}" if used else UNKNOWN,
            _dollars(self.dollars),
        )

    @property
    def remarks(self) -> list[str]:
        """A line for each check that failed or was skipped."""
        return [
            f"     {check.name}: "
            + (f"skipped: {check.why}" if check.passed is None else f"failed, {check.why}")
            for check in self.checks
            if not check.passed
        ]


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes, one a line, with remarks below them, and the sum."""
    rows = [outcome.row for outcome in outcomes]
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    lines = [_line(HEAD, widths), _line(tuple("-" * width for width in widths), widths)]
    for outcome in outcomes:
        lines += [_line(outcome.row, widths), *outcome.remarks]
    passed = sum(outcome.passed for outcome in outcomes)
    known = [outcome.dollars for outcome in outcomes if outcome.dollars is not None]
    cost = f", {_dollars(sum(known))}" if known else ""
    return "\n".join([*lines, "", f"{passed} of {len(outcomes)} passed{cost}"])


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _dollars(dollars: float | None) -> str:
    return UNKNOWN if dollars is None else f"${dollars:.4f}"
