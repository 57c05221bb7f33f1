"""Writes the table of settings into `docs/deploy.md`, and what has changed of them since the last
release into `CHANGELOG.md`: `python -m infra.cli.settings_table`.

`released_settings.json` has the settings of that release, each with its default as in the table. A
release writes it anew (`released`).
"""

import json
import re
import sys
import typing
from pathlib import Path

from pydantic.fields import FieldInfo

from infra.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "deploy.md"
BEGIN = "<!-- settings: made by python -m infra.cli.settings_table -->"
END = "<!-- end of settings -->"
CHANGELOG = ROOT / "CHANGELOG.md"
RELEASED = Path(__file__).with_name("released_settings.json")


def table() -> str:
    """One row for each field of `StackSettings`."""
    rows = ["| setting | default | what it is for |", "| --- | --- | --- |"]
    for name, field in StackSettings.model_fields.items():
        choices = ", ".join(f"`{choice}`" for choice in _choices(field))
        of = f" One of {choices}." if choices else ""
        rows.append(f"| `{field.alias or name}` | {_default(field)} | {field.description}{of} |")
    return "\n".join(rows)


def with_table(page: str, made: str | None = None) -> str:
    """The page with a new table. Raises `ValueError` when the page has no place for it."""
    place = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not place.search(page):
        raise ValueError(f"There is no place for the settings: {BEGIN}")
    return place.sub(lambda _: f"{BEGIN}\n{made or table()}\n{END}", page, count=1)


def released() -> dict[str, str]:
    """The settings of today as `released_settings.json` keeps those of a release."""
    return {
        field.alias or name: _default(field) for name, field in StackSettings.model_fields.items()
    }


def changes() -> str:
    """One row for each setting that is new, gone or has another default than at the release."""
    before, now = json.loads(RELEASED.read_text()), released()
    rows = ["| setting | default before | default now |", "| --- | --- | --- |"]
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            old = before[name] or "none" if name in before else "new"
            new = now[name] or "none" if name in now else "gone"
            rows.append(f"| `{name}` | {old} | {new} |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, list):
        value = ",".join(value)
    return "" if value in (None, "") else f"`{json.dumps(value).strip(chr(34))}`"


def _choices(field: FieldInfo) -> list[str]:
    """The values of a `Literal`, unless the description explains each of them."""
    for part in (field.annotation, *typing.get_args(field.annotation)):
        if typing.get_origin(part) is typing.Literal:
            named = [str(choice) for choice in typing.get_args(part)]
            explained = all(f"`{choice}`" in str(field.description) for choice in named)
            return [] if explained else named
    return []


def main() -> None:
    PAGE.write_text(with_table(PAGE.read_text()))
    CHANGELOG.write_text(with_table(CHANGELOG.read_text(), changes()))
    for page in (PAGE, CHANGELOG):
        sys.stdout.write(f"{page.relative_to(ROOT)} has its table.\n")


if __name__ == "__main__":
    main()
