"""make logs and make run: what they say of runs, in a stage and in make dev."""

import json
import logging
import re
import time
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from functions.lambda_stream.logs import JsonFormatter
from functions.run_log import log_run
from functions.run_record import RunRecord, ToolCall
from functions.store.keys import stamp
from infra.cli import command
from infra.cli.account import Account
from infra.local import log_file
from infra.local.folder import file_of_port
from infra.stack.context import read_settings

REGION = "eu-central-1"
SETTINGS = read_settings({"region": REGION})
NOW = round(time.time() * 1000)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def record(run_id, **more):
    given = {
        "run_id": run_id,
        "at": stamp(datetime.now(UTC)),
        "request": "threads.create",
        "owner": "0123456789abcdef",
        "thread_id": "thr_1",
        "provider": "openai",
        "model": "gpt-5",
        "outcome": "completed",
        "first_token_ms": 400,
        "duration_ms": 3100,
        "input_tokens": 1204,
        "microdollars": 3100,
        **more,
    }
    return RunRecord(**given)


@pytest.fixture
def line_of(caplog):
    """`line_of(record, request)` is what the streaming function prints of a run."""

    def printed(entry, request):
        caplog.clear()
        log_run(entry, faulty=False)
        [logged] = caplog.records
        logged.aws_request_id = request
        return json.loads(JsonFormatter().format(logged))

    return printed


@pytest.fixture
def stage(monkeypatch):
    """A stage in moto. `write(group, at, line)` writes a line into one of its two log groups."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        logs = boto3.client("logs")
        for group in ("chat", "actions"):
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName="s")
        body = {
            "Resources": {"Q": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {"RunLogs": {"Value": "chat,actions"}},
        }
        boto3.client("cloudformation").create_stack(
            StackName="chatkit-dev", TemplateBody=json.dumps(body)
        )

        def write(group, at, line):
            event = {"timestamp": at, "message": json.dumps(line)}
            logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])

        yield write


def shown(capsys, *words):
    command.run(words[0], [*words[1:]], SETTINGS, Account(SETTINGS))
    return capsys.readouterr().out.splitlines()


def test_the_runs_of_the_last_hours_are_listed_in_order_a_line_each(stage, line_of, capsys):
    stage("chat", NOW - 5 * MINUTE, line_of(record("run-2", error="APIError"), "r2"))
    action = record("run-3", model="", provider="", action="item.toggle")
    stage("actions", NOW - MINUTE, line_of(action, "r3"))
    stage("chat", NOW - 6 * MINUTE, line_of(record("run-1"), "r1"))
    stage("chat", NOW - 6 * MINUTE, {"level": "WARNING", "message": "no run", "requestId": "r1"})
    stage("chat", NOW - 90 * MINUTE, line_of(record("old"), "r0"))
    heading, columns, *rows = shown(capsys, "logs", "--since", "1h")
    assert heading == "The stage dev: its runs of the last 1h."
    assert columns.split()[-2:] == ["outcome,", "run"]
    assert [row.split()[-1] for row in rows] == ["run-1", "run-2", "run-3"]
    assert "01234567 thr_1 " in rows[0]
    assert "gpt-5 0.4 s 3.1 s 1,204 0 0.0031 completed, run-1" in " ".join(rows[0].split())
    assert "completed (APIError), run-2" in rows[1]
    assert "item.toggle" in rows[2]


def test_without_a_time_runs_are_followed_and_shown_once(stage, line_of, capsys, monkeypatch):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt
        stage("chat", NOW, line_of(record(f"run-{len(waits)}"), "r"))

    monkeypatch.setattr("infra.cli.logs.time.sleep", wait)
    monkeypatch.setattr("infra.cli.logs._now", lambda: NOW)
    with pytest.raises(KeyboardInterrupt):
        command.run("logs", [], SETTINGS, Account(SETTINGS))
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[-1] for row in rows] == ["run-1", "run-2"]


def test_one_run_is_told_from_its_first_line_to_its_last(stage, line_of, capsys):
    at = NOW - 3 * DAY
    tools = [ToolCall(name="search", ms=250, outcome="failed")]
    entry = record("run-1", tools=tools, search_ms=[90], duration_ms=2000)
    stage("chat", at, line_of(entry, "r1"))
    warning = {"level": "WARNING", "message": "the tool search failed", "requestId": "r1"}
    stage("chat", at - 1500, warning)
    stage("chat", at - 1000, {"level": "INFO", "message": "of another", "requestId": "r2"})
    report = {"type": "platform.report", "record": {"requestId": "r1", "status": "timeout"}}
    stage("chat", at + 100, report)
    first, *lines = shown(capsys, "run", "--run", "run-1")
    assert first.startswith("The stage dev, run run-1, from 20")
    told = " | ".join(" ".join(line.split()) for line in lines)
    assert told.startswith("0.500 s WARNING the tool search failed | 2.000 s INFO run run-1")
    assert "tool search: failed, 250 ms | search: 90 ms | 2.100 s platform.report" in told
    assert "of another" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "Name a run"),
        (["run", "--run", "run-9"], "The stage dev has no run run-9"),
        (["run", "--run", '1" || $.a = "'], "is no id of a run"),
        (["logs", "--since", "soon"], "SINCE=soon is no time"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(stage, words, said):
    with pytest.raises(SystemExit, match=re.escape(said)):
        command.run(words[0], words[1:], SETTINGS, Account(SETTINGS))


@pytest.fixture
def make_dev(monkeypatch, tmp_path):
    """The log of a `make dev`, as its file."""
    path = tmp_path / "log"
    monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv(log_file.LOG_VARIABLE, str(path))
    file_of_port("8123").write_text(f"{log_file.LOG_VARIABLE}={path}\n")
    root = logging.getLogger()
    before = list(root.handlers)
    log_file.log_to_file()
    yield path
    for handler in [each for each in root.handlers if each not in before]:
        root.removeHandler(handler)
        handler.close()


async def test_without_a_stage_both_mean_make_dev(make_dev, capsys):
    async def app(scope, receive, send):
        logging.getLogger("functions.test").warning("beside")
        try:
            raise ValueError("words of theirs")  # noqa: TRY301
        except ValueError:
            logging.getLogger("functions.test").exception("it failed")
        log_run(record(scope["run"]), faulty=False)

    for run in ("run-1", "run-2"):
        await log_file.RequestIds(app)({"type": "http", "run": run}, None, None)
    command.run("logs", ["--since", "5m"], None, None)
    listed = capsys.readouterr().out.splitlines()
    assert listed[0].startswith("make dev on port 8123")
    assert [row.split()[-1] for row in listed[2:]] == ["run-1", "run-2"]
    command.run("run", ["--run", "run-2"], None, None)
    told = capsys.readouterr().out
    assert [told.count(each) for each in ("beside", "it failed: ValueError", "run-1")] == [1, 1, 0]
    assert "words of theirs" not in make_dev.read_text()
    assert make_dev.stat().st_mode & 0o077 == 0


def test_the_file_of_make_dev_is_bounded(make_dev, monkeypatch):
    [handler] = [each for each in logging.getLogger().handlers if hasattr(each, "maxBytes")]
    monkeypatch.setattr(handler, "maxBytes", 2_000)
    for number in range(40):
        logging.getLogger("functions.test").warning("line %d", number)
    kept = [json.loads(text)["message"] for _, text in log_file.lines_of(make_dev)]
    assert 5 < len(kept) < 40
    assert kept == [f"line {number}" for number in range(40 - len(kept), 40)]


def test_without_a_make_dev_a_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("PORT", "8123")
    with pytest.raises(SystemExit, match="No make dev is running on port 8123"):
        command.run("logs", [], None, None)
