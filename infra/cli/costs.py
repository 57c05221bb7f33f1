"""Writes `docs/costs.md` from the synthesized template: `python -m infra.cli.costs`.

`costs_page.md` holds the words. The page shows the units that AWS bills and links AWS's page for
each price. It shows dollars where `infra/prices.toml` has a price.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.metrics import UNITS as METRICS
from infra.cli.billing import (
    GB,
    PASSAGES,
    TURN,
    TURNS,
    UNITS,
    Line,
    Resources,
    function,
    idle,
    kept_documents,
    read_documents,
    read_prices,
    searches,
    turns,
)
from infra.stack.context import read_settings
from infra.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "costs.md"
TEMPLATE = Path(__file__).with_name("costs_page.md")

KNOWS = "knowledge=true"

SETTINGS = {
    "provider=openai (or another one with a key)": {"provider": "openai"},
    "snapStart=true": {"snapStart": "true"},
    "kms=true": {"kms": "true"},
    "waf=true": {"waf": "true", "region": "us-east-1"},
    "edgeAlarms=true, outside us-east-1": {"edgeAlarms": "true", "region": "eu-central-1"},
    "signIn=cognito": {"signIn": "cognito"},
    KNOWS: {"knowledge": "true"},
    "dailyBudget=20": {"dailyBudget": "20"},
    "domainEvents=true": {"domainEvents": "true"},
    "dashboard=false": {"dashboard": "false"},
    "deletionProtection=true": {"deletionProtection": "true"},
    "architecture=x86_64": {"architecture": "x86_64"},
}


def page(default: Resources, variants: Mapping[str, Resources], prices: Mapping[str, float]) -> str:
    """The whole page. `variants` are the resources of all stacks with one setting each."""
    memory = function(default, "Chat")["MemorySize"]
    settings = StackSettings()
    dollars = TURN.input_tokens * settings.input_token_price
    dollars = (dollars + TURN.output_tokens * settings.output_token_price) / 1e6 * TURNS
    return TEMPLATE.read_text().format(
        idle=_bill(idle(default), prices),
        busy=_bill(turns(default), prices),
        metrics=len(METRICS),
        turn=TURN,
        turns=f"{TURNS:,}",
        turns_for_a_cold_start=round(1 / TURN.cold_share),
        memory=memory,
        memory_gb=memory / GB,
        settings=settings,
        model_dollars=_money(dollars),
        passages=PASSAGES,
        number=f"{PASSAGES.number:,}",
        searches=f"{PASSAGES.searches:,}",
        gigabytes=f"{PASSAGES.gigabytes:.2f}",
        embedding_dollars=_money(PASSAGES.embedding_dollars),
        kept=_bill(kept_documents(), prices),
        read=_bill(read_documents(variants[KNOWS]), prices) if KNOWS in variants else "",
        searched=_bill(searches(), prices),
        settings_rows=_settings(default, variants),
        price_rows=_prices(prices),
    )


def _bill(lines: list[Line], prices: Mapping[str, float]) -> str:
    rows = ["| | amount | unit | dollars |", "| --- | ---: | --- | ---: |"]
    for line in lines:
        dollars = line.dollars(prices)
        cells = [line.what, _amount(line.amount), UNITS[line.unit].words]
        rows.append(f"| {' | '.join(cells)} | {'' if dollars is None else _money(dollars)} |")
    known = [dollars for line in lines if (dollars := line.dollars(prices)) is not None]
    if len(known) == len(lines):
        rows.append(f"| **together** | | | **{_money(sum(known))}** |")
    return "\n".join(rows)


def _settings(default: Resources, variants: Mapping[str, Resources]) -> str:
    return "\n".join(
        f"| `{name}` | {_added(idle(default), idle(resources))} "
        f"| {_added(turns(default), turns(resources))} |"
        for name, resources in variants.items()
    )


def _added(before: list[Line], after: list[Line]) -> str:
    """The units that `after` has more or less than `before`."""
    amounts: dict[str, float] = {}
    for lines, sign in ((after, 1), (before, -1)):
        for line in lines:
            amounts[line.unit] = amounts.get(line.unit, 0) + sign * line.amount
    changes = [
        f"{'+' if amount > 0 else '-'}{_amount(abs(amount))} {UNITS[unit].words}"
        for unit, amount in amounts.items()
        if amount
    ]
    return ", ".join(changes) or "nothing"


def _prices(prices: Mapping[str, float]) -> str:
    rows = []
    for name, unit in UNITS.items():
        dollars = f"{prices[name]:.10f}".rstrip("0").rstrip(".") if name in prices else ""
        link = f"[{unit.page.removeprefix('https://aws.amazon.com/').rstrip('/')}]({unit.page})"
        rows.append(f"| {unit.words} | `{name}` | {dollars} | {link} |")
    return "\n".join(rows)


def _amount(amount: float) -> str:
    return f"{amount:,.3f}".rstrip("0").rstrip(".")


def _money(dollars: float) -> str:
    return f"${dollars:.2f}" if dollars >= 0.095 or not dollars else f"${dollars:.2g}"  # noqa: PLR2004


def resources_with(typed: dict[str, str]) -> Resources:
    """The resources of all stacks of a stage with these settings, from placeholder code."""
    from aws_cdk import App  # noqa: PLC0415 - takes seconds

    from infra.app import add_stage  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch) / "page"
        built.mkdir()
        (built / "index.html").write_text("<!doctype html>")
        app = App(outdir=str(Path(scratch) / "cdk.out"))
        add_stage(
            app, read_settings(typed), bundle=lambda _: built, page=built, account="123456789012"
        )
        return merged([stack.template for stack in app.synth().stacks])


def merged(templates: list[dict[str, Any]]) -> Resources:
    """The resources of several stacks together."""
    return {
        f"{name}{number or ''}": resource
        for number, template in enumerate(templates)
        for name, resource in template.get("Resources", {}).items()
    }


def main() -> None:
    variants = {name: resources_with(typed) for name, typed in SETTINGS.items()}
    PAGE.write_text(page(resources_with({}), variants, read_prices()))
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written.\n")


if __name__ == "__main__":
    main()
