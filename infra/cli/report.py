"""`make report`: what everybody has used and how good the answers were, as a page and a sheet.

Nothing is changed: the totals are read from the table, a query or two for each month.
"""

import asyncio
from pathlib import Path

from functions.store.report import MAX_DAYS, Reports, days_in
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

DEFAULT_DAYS = "30"


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    deployment = Deployment.of(settings, account, "make report STAGE=prod OUT=report")
    write(deployment, typed.option("--out"), typed.option("--days"))


def write(deployment: Deployment, folder: str | None, typed_days: str | None) -> None:
    """Write `report.html` and `report.csv` into `folder`, in place of those of an earlier report.

    Raises `CommandError`.
    """
    from infra.report.page import page  # noqa: PLC0415 - matplotlib is slow to import
    from infra.report.sheet import sheet  # noqa: PLC0415

    if not folder:
        raise CommandError("Name a folder: make report OUT=report")
    days = days_in(typed_days or DEFAULT_DAYS)
    if days is None:
        raise CommandError(f"DAYS={typed_days} is not a whole number from 1 to {MAX_DAYS}.")
    out = Path(folder)
    _make(out)
    report = asyncio.run(Reports(deployment.table).read(days))
    messages = sum(day["messages"] for day in report["days"])
    say(f"{deployment.title}, {report['from']} to {report['to']}: {messages:,} messages")
    texts = {"report.html": page(report, deployment.title), "report.csv": sheet(report)}
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
        say(f"  {out / name}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"OUT={folder} cannot be written: {error.strerror}.") from None
