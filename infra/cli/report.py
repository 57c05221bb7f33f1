"""`make report`: what everybody has used and how good the answers were, as a page and a sheet.

Nothing is changed: the totals are read from the table, a query or two for each month.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from functions.store.report import MAX_DAYS, Reports, days_in
from functions.store.table import Table
from infra.cli.account import Account
from infra.cli.make_dev import local_client, port_of_make_dev, variables_of_make_dev

DEFAULT_DAYS = "30"


class ReportError(Exception):
    """Why there is no report, in one line for whoever typed the command."""


@dataclass(frozen=True)
class Place:
    """Where the totals are, and how people call what they are of."""

    name: str
    reports: Reports


def of_stage(stage: str, outputs: dict[str, str], account: Account) -> Place:
    """The totals of a stage. `outputs` are those of its stack.

    Raises `AccountError` without a region.
    """
    table = Table(outputs["TableName"], account.client("dynamodb"))
    return Place(f"The stage {stage}", Reports(table))


def of_make_dev() -> Place:
    """The totals of the `make dev` that is running on `PORT`. Raises `ReportError`."""
    port, variables = port_of_make_dev(), variables_of_make_dev()
    if not variables:
        raise ReportError(
            f"No make dev is running on port {port}. For a stage: make report STAGE=prod OUT=report"
        )
    table = Table(str(variables["CHATKIT_TABLE"]), local_client("dynamodb", variables))
    return Place(f"make dev on port {port}", Reports(table))


def write(place: Place, folder: str | None, typed_days: str | None) -> None:
    """Write `report.html` and `report.csv` into `folder`, in place of those of an earlier report.

    Raises `ReportError`.
    """
    from infra.report.page import page  # noqa: PLC0415 - matplotlib is slow to import
    from infra.report.sheet import sheet  # noqa: PLC0415

    if not folder:
        raise ReportError("Name a folder: make report OUT=report")
    days = days_in(typed_days or DEFAULT_DAYS)
    if days is None:
        raise ReportError(f"DAYS={typed_days} is not a whole number from 1 to {MAX_DAYS}.")
    out = Path(folder)
    _make(out)
    report = asyncio.run(place.reports.read(days))
    messages = sum(day["messages"] for day in report["days"])
    _say(f"{place.name}, {report['from']} to {report['to']}: {messages:,} messages")
    texts = {"report.html": page(report, place.name), "report.csv": sheet(report)}
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
        _say(f"  {out / name}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"OUT={folder} cannot be written: {error.strerror}.") from None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
