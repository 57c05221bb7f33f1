"""Writes the table of settings into `docs/deploy.md`: `python -m infra.cli.settings_table`."""

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


def table() -> str:
    """One row for each field of `StackSettings`."""
    rows = ["| setting | default | what it is for |", "| --- | --- | --- |"]
    for name, field in StackSettings.model_fields.items():
        choices = ", ".join(f"`{choice}`" for choice in _choices(field))
        of = f" One of {choices}." if choices else ""
        rows.append(f"| `{field.alias or name}` | {_default(field)} | {field.description}{of} |")
    return "\n".join(rows)


def with_table(page: str) -> str:
    """The page with a new table. Raises `ValueError` when the page has no place for it."""
    place = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not place.search(page):
        raise ValueError(f"{PAGE.name} has no place for the settings: {BEGIN}")
    return place.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", page)


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
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} has its table.\n")


if __name__ == "__main__":
    main()
