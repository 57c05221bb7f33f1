"""Writes the table of `docs/events.md`, and `docs/events.schema.json`:
`python -m infra.cli.events_page`.
"""

import json
import sys
from typing import Any

from functions.changes.domain_events import DOMAIN_EVENT
from functions.settings import ROOT

PAGE = ROOT / "docs" / "events.md"
SCHEMA = ROOT / "docs" / "events.schema.json"
BEGIN, END = "<!-- events: begin -->", "<!-- events: end -->"
COMMON = ("version", "type", "id", "at", "stage", "owner", "thread", "sequence")
"""Fields that the page explains once."""


def schema() -> dict[str, Any]:
    """The JSON Schema of an event, which is one of the kinds in `$defs`."""
    made = DOMAIN_EVENT.json_schema(mode="serialization")
    said = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": said, "title": "Events of ChatKit, version 1", **made}


def schema_text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def table() -> str:
    """One line for each kind of event, with the fields that not every event has."""
    lines = ["| `type` | what has happened | further fields |", "| --- | --- | --- |"]
    for kind, reference in schema()["discriminator"]["mapping"].items():
        made = schema()["$defs"][reference.rpartition("/")[2]]
        fields = [name for name in made["properties"] if name not in COMMON]
        about = made["description"].replace("\n", " ")
        lines.append(f"| `{kind}` | {about} | {', '.join(f'`{name}`' for name in fields)} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its table."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text())
    PAGE.write_text(page(PAGE.read_text()))
    sys.stdout.write("docs/events.md has its table, and docs/events.schema.json the schema.\n")
