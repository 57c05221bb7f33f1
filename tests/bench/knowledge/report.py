"""What a search finds, in numbers."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.knowledge.labelled import KINDS, LANGUAGES, Question

TOP: Final = 10
"""Results of a search that are looked at: the right passage below them counts as not found."""
RECALL_AT: Final = 5

BEST_RECALL: Final = 0.9
MOST_MILLISECONDS: Final = 150


@dataclass(frozen=True)
class Answer:
    question: Question
    rank: int | None
    """Where the passage that answers was found, from 1."""
    milliseconds: float


Answers = dict[str, list[Answer]]
"""The answers by the name of the search: `words`, `vectors` or `both`."""


def recall(answers: Sequence[Answer]) -> float:
    """The share of questions whose passage is among the first five."""
    return statistics.fmean(a.rank is not None and a.rank <= RECALL_AT for a in answers)


def reciprocal_rank(answers: Sequence[Answer]) -> float:
    """The mean of 1 / rank, 0 for what was not found."""
    return statistics.fmean(1 / a.rank if a.rank else 0 for a in answers)


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(answers: Answers) -> None:
    searches = "".join(f"{search:>17}" for search in answers)
    print(f"\n{'':31}{searches}\n{'':31}" + "  recall@5   MRR" * len(answers))
    for half, held_out in (("may be tuned by", False), ("held out", True)):
        line(half, answers, lambda question, held_out=held_out: question.held_out is held_out)
        for kind in KINDS:
            line(f"  {kind}", answers, _both(held_out, "kind", kind))
        for language in LANGUAGES:
            line(f"  in {language}", answers, _both(held_out, "language", language))
    print(f"\n{'milliseconds of a query':31}" + "      p50    p95 " * len(answers))
    times = [[answer.milliseconds for answer in found] for found in answers.values()]
    cells = [f"{percentile(t, 0.5):9.1f}{percentile(t, 0.95):7.1f} " for t in times]
    print(f"{'':31}" + "".join(cells))


def _both(held_out: bool, field: str, value: str) -> Callable[[Question], bool]:
    return lambda question: question.held_out is held_out and getattr(question, field) == value


def line(name: str, answers: Answers, chosen: Callable[[Question], bool]) -> None:
    parts = [[a for a in found if chosen(a.question)] for found in answers.values()]
    cells = [f"{recall(part):10.2f}{reciprocal_rank(part):6.2f} " for part in parts]
    print(f"{name:24}{len(parts[0]):6} " + "".join(cells))


def missed(model: str, answers: Answers) -> list[str]:
    """The goals that a real model's searches miss, by the half that is held out."""
    held_out = {
        search: [answer for answer in found if answer.question.held_out]
        for search, found in answers.items()
    }
    goals = []
    for measure in (recall, reciprocal_rank):
        both = measure(held_out["both"])
        goals += [
            f"{model}: both is not ahead of {search} alone: "
            f"{measure.__name__} {both:.3f}, and {measure(held_out[search]):.3f}"
            for search in ("words", "vectors")
            if both <= measure(held_out[search])
        ]
    if (found := recall(held_out["both"])) < BEST_RECALL:
        goals.append(f"{model}: recall@5 of both is {found:.3f}, not {BEST_RECALL}")
    took = percentile([answer.milliseconds for answer in answers["both"]], 0.5)
    if took > MOST_MILLISECONDS:
        goals.append(f"{model}: p50 of both is {took:.0f} ms, not {MOST_MILLISECONDS}")
    return goals
