"""The report as a sheet (CSV) with one number in each row, for a spreadsheet or a program."""

import csv
import io
from collections.abc import Iterator

from functions.store.report import Day, Report

COLUMNS = ("day", "provider", "model", "measure", "name", "number")

OF_MODELS = (
    "answers",
    "inputTokens",
    "outputTokens",
    "cachedTokens",
    "dollars",
    "firstTokenP50Ms",
    "firstTokenP90Ms",
)

Row = tuple[str | float, ...]


def sheet(report: Report) -> str:
    """The sheet. It has no questions, and no numbers that are zero."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for day in report["days"]:
        writer.writerows(row for row in _rows(day) if row[-1])
    return text.getvalue()


def _rows(day: Day) -> Iterator[Row]:
    yield day["day"], "", "", "people", "", day["people"]
    yield day["day"], "", "", "messages", "", day["messages"]
    for outcome, number in day["outcomes"].items():
        yield day["day"], "", "", "outcome", outcome, number
    for error, number in day["errors"].items():
        yield day["day"], "", "", "error", error, number
    for kind, number in day["feedback"].items():
        yield day["day"], "", "", "feedback", kind, number
    for name, tool in day["tools"].items():
        yield day["day"], "", "", "calls", name, tool["calls"]
        yield day["day"], "", "", "failed calls", name, tool["failed"]
    for model in day["models"]:
        for measure in OF_MODELS:
            number = model[measure] or 0  # type: ignore[literal-required]
            yield day["day"], model["provider"], model["model"], measure, "", number
