"""`make logs` and `make run`: the runs of a stage, or of the `make dev` that is running.

A stage's lines come from CloudWatch Logs, by `FilterLogEvents`, which is all that both commands
may need to be allowed, besides reading the stack's outputs. Those of `make dev` come from its file.
"""

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from infra.cli.account import Account
from infra.cli.make_dev import port_of_make_dev, variables_of_make_dev
from infra.local.log_file import LOG_VARIABLE, lines_of

RUN_LOGS = "RunLogs"
"""The output of the stack with the names of the log groups, separated by commas."""

POLL = 2.0
"""Seconds between two looks at the log."""
LATE = 60_000
"""Milliseconds after which a line is no longer expected: CloudWatch shows lines some seconds late,
and not in order."""
LOOKS_BACK = (3_600_000, 86_400_000, 10 * 366 * 86_400_000)
"""Milliseconds in which `make run` looks for its run, one after the other: in the end at all that
is kept."""
LONGEST = 900_000
"""Milliseconds that a function can run."""

_SPAN = {"m": 60, "h": 3600, "d": 86_400}
_RUN_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_ENDED = '{ $.duration_ms = "*" }'
"""CloudWatch's pattern for the lines of runs."""


class LogsError(Exception):
    """Why there is nothing to show, in one line for whoever typed the command."""


@dataclass(frozen=True)
class Line:
    """A line of the log: its time in Unix milliseconds, and its fields."""

    id: str
    at: int
    fields: dict[str, Any]


class Log(Protocol):
    """Where lines come from."""

    name: str

    def read(self, since: int, pattern: str) -> Iterable[Line]:
        """The lines since then, at least those that fit CloudWatch's `pattern`."""


class StageLog:
    def __init__(self, name: str, client: Any, groups: list[str]) -> None:
        self.name = name
        self._client = client
        self._groups = groups

    def read(self, since: int, pattern: str) -> Iterator[Line]:
        pages = self._client.get_paginator("filter_log_events")
        for group in self._groups:
            for page in pages.paginate(
                logGroupName=group, startTime=max(since, 0), filterPattern=pattern
            ):
                for event in page["events"]:
                    yield Line(event["eventId"], event["timestamp"], _fields(event["message"]))


class FileLog:
    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def read(self, since: int, pattern: str) -> Iterator[Line]:  # noqa: ARG002 - it is small
        for at, text in lines_of(self._path):
            if at >= since:
                yield Line(f"{at} {text}", at, _fields(text))


def of_stage(stage: str, outputs: dict[str, str], account: Account) -> Log:
    """The log of a stage. `outputs` are those of its stack. Raises `LogsError`."""
    if RUN_LOGS not in outputs:
        raise LogsError(f"The stage {stage} runs an older version: run `make deploy` first.")
    return StageLog(f"The stage {stage}", account.client("logs"), outputs[RUN_LOGS].split(","))


def of_make_dev() -> Log:
    """The log of the `make dev` that is running on `PORT`. Raises `LogsError`."""
    port, variables = port_of_make_dev(), variables_of_make_dev()
    if not variables:
        raise LogsError(f"No make dev is running on port {port}. For a stage: make logs STAGE=prod")
    if not (path := variables.get(LOG_VARIABLE)):
        raise LogsError(f"The make lambda on port {port} prints its log, and keeps none.")
    return FileLog(f"make dev on port {port}", Path(path))


def show_runs(log: Log, typed: str | None) -> None:
    """List the runs of the time that was `typed`, such as `2h`; without one, follow them from now.

    Raises `LogsError`.
    """
    start = _now() - (_milliseconds(typed) if typed else LATE)
    _say(f"{log.name}: its runs {f'of the last {typed}' if typed else 'from now on'}.")
    _say(_HEADING)
    seen: dict[str, int] = {}
    while True:
        ended = [line for line in log.read(start, _ENDED) if "duration_ms" in line.fields]
        for line in sorted(ended, key=lambda each: each.at):
            if line.id not in seen:
                _say(_row(line))
            seen[line.id] = line.at
        if typed:
            if not seen:
                _say("There is none.")
            return
        start = _now() - LATE
        seen = {known: at for known, at in seen.items() if at >= start}
        time.sleep(POLL)


def show_run(log: Log, run: str) -> None:
    """Tell what the log has of a run, line by line. Raises `LogsError`."""
    if not _RUN_ID.fullmatch(run):
        raise LogsError(f"RUN={run} is no id of a run. `make logs` shows the ids.")
    for span in LOOKS_BACK:
        found = log.read(_now() - span, f'{{ $.run_id = "{run}" }}')
        if named := [line for line in found if line.fields.get("run_id") == run]:
            break
    else:
        raise LogsError(f"{log.name} has no run {run}, or its log is no longer kept.")
    lines = {line.id: line for line in named}
    for request in {line.fields.get("requestId") for line in named} - {None, ""}:
        pattern = f'{{ ($.requestId = "{request}") || ($.record.requestId = "{request}") }}'
        first = min(line.at for line in named) - LONGEST
        for line in log.read(first, pattern):
            if request in {line.fields.get("requestId"), _record(line).get("requestId")}:
                lines[line.id] = line
    ordered = sorted(lines.values(), key=lambda line: line.at)
    ended = next((line for line in named if "duration_ms" in line.fields), None)
    start = ordered[0].at if ended is None else ended.at - ended.fields["duration_ms"]
    _say(f"{log.name}, run {run}, from {_time(start)} UTC:")
    for line in ordered:
        _say(_told(line, start))


_HEADING = (
    f"{'UTC':<19} {'owner':<8} {'thread':<36} {'model':<24} {'first':>7} {'all':>7} "
    f"{'in':>7} {'out':>6} {'dollars':>8} outcome, run"
)


def _row(line: Line) -> str:
    run = line.fields
    why = run.get("error") or run.get("stop")
    return (
        f"{_time(line.at)[:19]} {str(run.get('owner'))[:8]:<8} {run.get('thread_id', ''):<36} "
        f"{run.get('model') or run.get('action') or '':<24} {_seconds(run.get('first_token_ms'))} "
        f"{_seconds(run['duration_ms'])} {run.get('input_tokens', 0):>7,} "
        f"{run.get('output_tokens', 0):>6,} {run.get('microdollars', 0) / 1e6:>8.4f} "
        f"{run.get('outcome')}{f' ({why})' if why else ''}, {run.get('run_id')}"
    )


def _told(line: Line, start: int) -> str:
    fields = line.fields
    level = fields.get("level") or fields.get("type") or ""
    said = str(fields.get("message") or json.dumps(_record(line)))
    first, *more = said.splitlines() or [""]
    text = [f"{(line.at - start) / 1000:>9.3f} s  {level:<7} {first}"]
    text += [f"{'':13}{each}" for each in more]
    if "duration_ms" in fields:
        known = (
            "request", "thread_id", "owner", "provider", "cold_start", "first_token_ms",
            "input_tokens", "output_tokens", "cached_tokens", "microdollars", "trace_id",
            "requestId",
        )  # fmt: skip
        about = ", ".join(f"{name} {fields[name]}" for name in known if fields.get(name))
        text.append(f"{'':13}{about}")
        text += [
            f"{'':13}tool {tool['name']}: {tool['outcome']}, {tool['ms']} ms"
            for tool in fields.get("tools", [])
        ]
        text += [f"{'':13}search: {took} ms" for took in fields.get("search_ms", [])]
        text += [f"{'':13}guardrail {name} tripped" for name in fields.get("guardrails", [])]
    return "\n".join(text)


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"message": text.rstrip()}
    return found if isinstance(found, dict) else {"message": text.rstrip()}


def _record(line: Line) -> dict[str, Any]:
    """What a line of Lambda itself is about."""
    record = line.fields.get("record")
    return record if isinstance(record, dict) else {}


def _milliseconds(typed: str) -> int:
    found = re.fullmatch(r"(\d{1,4})([mhd])", typed)
    if found is None:
        raise LogsError(f"SINCE={typed} is no time: it is 30m, 2h or 7d, for example.")
    return int(found[1]) * _SPAN[found[2]] * 1000


def _now() -> int:
    return round(time.time() * 1000)


def _time(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(" ", "milliseconds").removesuffix("+00:00")


def _seconds(milliseconds: int | None) -> str:
    return f"{'-':>7}" if milliseconds is None else f"{milliseconds / 1000:>5.1f} s"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
