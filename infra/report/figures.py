"""What the report shows: figures, each with its description, its numbers and its drawing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.store.report import Day, ModelOfDay, Report
from infra.report import plots
from infra.report.colours import SERIES

MOST_TOOLS = 10
MOST_ERRORS = 8
OTHERS = "others"

OUTCOMES = {
    "completed": "good",
    "waiting": "third",
    "stopped": "other",
    "failed": "bad",
}
"""The outcomes of answers, and their colours."""


@dataclass(frozen=True)
class Figure:
    """One figure. `rows` are the same numbers as a table, below the names of their `columns`."""

    name: str
    title: str
    description: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def figures(report: Report) -> list[Figure]:
    """All figures. A figure of which there is nothing is left out."""
    days = report["days"]
    models = _models(days)
    found = [
        _people(days),
        _by_model(days, models, "Tokens", _tokens),
        _by_model(days, models, "Dollars", _dollars),
        _first_token(days, models),
        _outcomes(days),
        _errors(days),
        _feedback(days),
        _tools(days),
    ]
    return [figure for figure in found if figure is not None]


def _people(days: list[Day]) -> Figure | None:
    messages, people = [day["messages"] for day in days], [day["people"] for day in days]
    if not any(messages + people):
        return None
    return Figure(
        "people",
        "People and messages",
        "Messages of each day as bars, and the people who were answered on it as a line.",
        plots.bars(_names(days), {"messages": ("first", messages)}, line=("people", "ink", people)),
        ("day", "people", "messages"),
        [
            (day["day"], str(day["people"]), str(day["messages"]))
            for day in days
            if day["messages"] or day["people"]
        ],
    )


def _by_model(
    days: list[Day], models: dict[str, str], what: str, amount: Callable[[ModelOfDay], float]
) -> Figure | None:
    amounts = [Counter[str]() for _ in days]
    for day, of_day in zip(days, amounts, strict=True):
        for model in day["models"]:
            label = _label(model)
            of_day[label if label in models else OTHERS] += amount(model)  # type: ignore[assignment]
    if not any(sum(of_day.values()) for of_day in amounts):
        return None
    colours = models | ({OTHERS: "other"} if any(of_day[OTHERS] for of_day in amounts) else {})
    series = {
        label: (colour, [of_day[label] for of_day in amounts]) for label, colour in colours.items()
    }
    number = "{:,.4f}" if what == "Dollars" else "{:,}"
    return Figure(
        what.lower(),
        f"{what} by model",
        f"{what} of each day, those of the models on top of each other.",
        plots.bars(_names(days), series),
        ("day", *colours),
        [
            (day["day"], *(number.format(of_day[label]) for label in colours))
            for day, of_day in zip(days, amounts, strict=True)
            if sum(of_day.values())
        ],
    )


def _first_token(days: list[Day], models: dict[str, str]) -> Figure | None:
    times = {
        label: [
            next(
                (
                    (model["firstTokenP50Ms"], model["firstTokenP90Ms"])
                    for model in day["models"]
                    if _label(model) == label
                ),
                (None, None),
            )
            for day in days
        ]
        for label in models
    }
    times = {label: each for label, each in times.items() if any(p50 for p50, _ in each)}
    if not times:
        return None
    halves = ("half of the answers", "nine in ten answers")
    panels = {
        half: {
            label: (models[label], [_seconds(day[n]) for day in each])
            for label, each in times.items()
        }
        for n, half in enumerate(halves)
    }
    return Figure(
        "first-token",
        "Seconds until the first token",
        "Half of a day's answers began within the time on the left (p50), and nine in ten within "
        "the time on the right (p90). Times are some 10 % exact.",
        plots.lines(_names(days), panels),
        ("day", "model", "p50 (ms)", "p90 (ms)"),
        [
            (day["day"], label, str(each[n][0]), str(each[n][1]))
            for n, day in enumerate(days)
            for label, each in times.items()
            if each[n][0] is not None
        ],
    )


def _outcomes(days: list[Day]) -> Figure | None:
    if not any(day["outcomes"] for day in days):
        return None
    series = {
        outcome: (colour, [day["outcomes"].get(outcome, 0) for day in days])
        for outcome, colour in OUTCOMES.items()
    }
    return Figure(
        "outcomes",
        "How answers ended",
        "Answers by how they ended. One that waits has asked for an approval, or for the page.",
        plots.bars(_names(days), series),
        ("day", *OUTCOMES),
        [
            (day["day"], *(str(day["outcomes"].get(outcome, 0)) for outcome in OUTCOMES))
            for day in days
            if day["outcomes"]
        ],
    )


def _errors(days: list[Day]) -> Figure | None:
    errors: Counter[str] = Counter()
    for day in days:
        errors.update(day["errors"])
    if not errors:
        return None
    most = errors.most_common(MOST_ERRORS)
    return Figure(
        "errors",
        "Errors by kind",
        "What failed in answers, by the name of the error, over all days.",
        plots.ranking([name for name, _ in most], {"errors": ("bad", [n for _, n in most])}),
        ("error", "answers"),
        [(name, str(number)) for name, number in errors.most_common()],
    )


def _feedback(days: list[Day]) -> Figure | None:
    up = [day["feedback"].get("positive", 0) for day in days]
    down = [day["feedback"].get("negative", 0) for day in days]
    if not any(up + down):
        return None
    return Figure(
        "feedback",
        "Feedback",
        "Thumbs up above the line and thumbs down below it, on the day when they were given.",
        plots.bars(
            _names(days),
            {"thumbs up": ("good", up), "thumbs down": ("bad", [-number for number in down])},
        ),
        ("day", "thumbs up", "thumbs down"),
        [
            (day["day"], str(good), str(bad))
            for day, good, bad in zip(days, up, down, strict=True)
            if good or bad
        ],
    )


def _tools(days: list[Day]) -> Figure | None:
    calls, failed = Counter[str](), Counter[str]()
    for day in days:
        for name, tool in day["tools"].items():
            calls[name] += tool["calls"]
            failed[name] += tool["failed"]
    if not calls:
        return None
    most = [name for name, _ in calls.most_common(MOST_TOOLS)]
    return Figure(
        "tools",
        "Most used tools",
        "Calls of tools over all days, and how many of them failed.",
        plots.ranking(
            most,
            {
                "succeeded": ("good", [calls[name] - failed[name] for name in most]),
                "failed": ("bad", [failed[name] for name in most]),
            },
        ),
        ("tool", "calls", "failed"),
        [(name, str(number), str(failed[name])) for name, number in calls.most_common()],
    )


def _models(days: list[Day]) -> dict[str, str]:
    """The models with the most answers, and their colours."""
    answers: Counter[str] = Counter()
    for day in days:
        for model in day["models"]:
            answers[_label(model)] += model["answers"]
    return {
        label: colour for (label, _), colour in zip(answers.most_common(), SERIES, strict=False)
    }


def _label(model: ModelOfDay) -> str:
    return f"{model['model']} ({model['provider']})"


def _tokens(model: ModelOfDay) -> float:
    return model["inputTokens"] + model["outputTokens"]


def _dollars(model: ModelOfDay) -> float:
    return model["dollars"]


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def _names(days: list[Day]) -> list[str]:
    return [day["day"] for day in days]
