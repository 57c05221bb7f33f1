"""A row of the table as people read it: what it is, when it was written, its size and its content.

The store's own code decodes it. What people or models wrote is in `words`, apart from the rest.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chatkit.types import (
    AssistantMessageItem,
    StructuredInputItem,
    ThreadItem,
    UserMessageItem,
    WidgetItem,
)
from pydantic import ValidationError

from functions.run_record import RunRecord
from functions.store import attachment_records, codec, keys
from functions.store.bodies import BODY, PACKED, PLACES, SPILL, Bodies
from functions.store.snapshots import Snapshot
from functions.store.table import Row

WHERE = {PACKED: "compressed", SPILL: "in the bucket"}
"""What is said of a body that is not plain text in its row."""


@dataclass(frozen=True)
class Shown:
    """One row. `size` is in bytes, of what was stored and not of the row; 0 for no content."""

    key: str
    kind: str
    at: str = ""
    """UTC, to the second."""
    size: int = 0
    notes: str = ""
    """What can be said without anybody's words."""
    words: str = ""
    """What people or models wrote."""


async def shown(row: Row, bodies: Bodies) -> Shown:
    """What a row is. One request for a body in the bucket, and none otherwise. Never raises for a
    row that cannot be read.
    """
    key = row["sk"]["S"]
    for prefix, read in _KINDS.items():
        if key.startswith(prefix):
            try:
                return read(key, row)
            except (ValidationError, ValueError, LookupError) as error:
                return Shown(key, prefix.rstrip("#").lower(), notes=_unreadable(error))
    if key.startswith(keys.ITEM):
        return await _item(key, row, bodies)
    return Shown(key, "unknown", notes="this version does not know such rows")


async def _item(key: str, row: Row, bodies: Bodies) -> Shown:
    if not any(place in row for place in PLACES):
        return Shown(key, "deleted item", notes=f"its place is kept until {_expiry(row)}")
    try:
        text = await bodies.unpack(row)
        item = codec.load(text, row)
    except (ValidationError, LookupError, ClientError, BotoCoreError) as error:
        return Shown(key, "item", notes=_unreadable(error))
    where = next((said for place, said in WHERE.items() if place in row), "")
    notes, words = _content(item)
    return Shown(
        key,
        item.type,
        _time(item.created_at),
        len(text),
        ", ".join(filter(None, [where, *notes])),
        words,
    )


def _content(item: ThreadItem) -> tuple[list[str], str]:
    """What can be said of an item without words, and its words."""
    match item:
        case UserMessageItem():
            said = [part.text for part in item.content]
            said += [f"[{file.name}]" for file in item.attachments]
            return [_count(len(item.attachments), "file")], " ".join(said)
        case AssistantMessageItem():
            sources = sum(len(part.annotations) for part in item.content)
            return [_count(sources, "source")], " ".join(part.text for part in item.content)
        case WidgetItem():
            words = item.copy_text or json.dumps(
                item.widget.model_dump(exclude_none=True), ensure_ascii=False
            )
            return [item.widget.type], words
        case StructuredInputItem():
            return [item.status], " ".join(each.question for each in item.inputs)
        case _:
            rest = item.model_dump(
                mode="json",
                exclude={"id", "thread_id", "created_at", "type"},
                exclude_none=True,
            )
            return [], json.dumps(rest, ensure_ascii=False) if rest else ""


def _thread(key: str, row: Row) -> Shown:
    snapshot = Snapshot.from_row(row)
    thread = snapshot.thread()
    size = sum(len(text) for part in (snapshot.fields, snapshot.metadata) for text in part.values())
    notes = [
        "" if thread.status.type == "active" else thread.status.type,
        f"answered by the run {row['run']['S']}" if "run" in row else "",
        f"expires {_expiry(row)}" if "expires" in row else "",
    ]
    kind = "thread" if key.startswith(keys.THREAD) else "head"
    at = row["position"]["S"] if kind == "thread" else _time(thread.created_at)
    said = ", ".join(filter(None, notes))
    return Shown(key, kind, _seconds(at), size, said, thread.title or "")


def _ended(key: str, row: Row) -> Shown:
    text = row[BODY]["S"]
    run = RunRecord.model_validate_json(text)
    tools = ", ".join(f"{tool.name} {tool.outcome} {tool.ms} ms" for tool in run.tools)
    parts = [
        f"{run.provider} {run.model}",
        " ".join(filter(None, [run.outcome, run.stop, run.error])),
        f"{run.duration_ms} ms",
        f"first token {run.first_token_ms} ms" if run.first_token_ms is not None else "",
        f"{run.input_tokens}+{run.output_tokens} tokens",
        f"${run.microdollars / 1e6:.4f}",
        tools,
        "no source" if run.unsupported else "",
    ]
    return Shown(key, "ended run", _seconds(run.at), len(text), ", ".join(filter(None, parts)))


def _feedback(key: str, row: Row) -> Shown:
    notes = row["kind"]["S"] if "kind" in row else f"taken back; kept until {_expiry(row)}"
    return Shown(key, "feedback", _seconds(row["at"]["S"]), notes=notes)


def _attachment(key: str, row: Row) -> Shown:
    if BODY not in row:
        return Shown(key, "file of a message", notes="its record is beside the threads")
    text = row[BODY]["S"]
    attachment = attachment_records.ATTACHMENT.validate_json(text)
    thread = row.get("thread", {}).get("S")
    sent = f"in {thread}" if thread else f"not sent, until {_expiry(row)}"
    notes = f"{attachment.mime_type}, {sent}"
    return Shown(key, "file", size=len(text), notes=notes, words=attachment.name)


def _record(key: str, row: Row) -> Shown:
    text = row[BODY]["S"]
    return Shown(key, "record", size=len(text), notes=f"version {row['version']['N']}", words=text)


def _run(key: str, row: Row) -> Shown:
    state = row.get("state", {}).get("S", "cancelled before it began")
    thread = row.get("thread", {}).get("S")
    parts = [state, f"in {thread}" if thread else "", f"kept until {_expiry(row)}"]
    return Shown(key, "run", notes=", ".join(filter(None, parts)))


def _tombstone(key: str, row: Row) -> Shown:
    return Shown(key, "tombstone", notes=f"the thread is deleted; kept until {_expiry(row)}")


def _gone(key: str, row: Row) -> Shown:
    return Shown(key, "deleted thread", _seconds(row["at"]["S"]), notes="has yet to be purged")


def _signed_out(key: str, row: Row) -> Shown:
    at = _time(datetime.fromtimestamp(float(row["at"]["N"]), UTC))
    return Shown(key, "signed out", at, notes="earlier sessions are over")


def _counters(key: str, row: Row) -> Shown:
    numbers = {name: value["N"] for name, value in row.items() if ":" in name and "N" in value}
    said = ", ".join(f"{name.partition(':')[0]} {number}" for name, number in numbers.items())
    return Shown(key, "counters", notes=said)


_KINDS: dict[str, Callable[[str, Row], Shown]] = {
    keys.THREAD: _thread,
    keys.HEAD: _thread,
    keys.ENDED: _ended,
    keys.FEEDBACK: _feedback,
    keys.ATTACHMENT: _attachment,
    keys.RECORD: _record,
    keys.RUN: _run,
    keys.TOMBSTONE: _tombstone,
    keys.GONE: _gone,
    keys.SIGNED_OUT: _signed_out,
    keys.COUNTERS: _counters,
}


def without_words(each: Shown) -> Shown:
    """The same row with nothing that people or models wrote."""
    return replace(each, words="")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _expiry(row: Row) -> str:
    return _time(datetime.fromtimestamp(int(row["expires"]["N"]), UTC))


def _time(moment: datetime) -> str:
    return _seconds(keys.stamp(moment))


def _seconds(stamp: str) -> str:
    return stamp[:19].replace("T", " ")


def _unreadable(error: Any) -> str:
    return f"cannot be read ({type(error).__name__})"
