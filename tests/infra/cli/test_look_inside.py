"""How make table and make seed are typed, and which deployment they mean."""

import subprocess

import boto3
import pytest
from moto import mock_aws

from functions.attachments import create_bucket
from functions.store import create_table
from infra.cli import command, deployment
from infra.cli.account import Account
from infra.stack.context import read_settings
from tests.support.cloud import own_cloud
from tests.support.dev import ROOT

REGION = "eu-central-1"


def typed(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["command", *words])
    command.main()


def made(*words, **environment):
    """The command that make would run."""
    done = subprocess.run(
        ["make", "--dry-run", "--silent", *words],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return " ".join(done.stdout.splitlines()[-2:])


def test_a_person_is_meant_only_where_they_stand_on_the_command_line():
    assert '--user "ada"' in made("table", "USER=ada")
    assert "--user" not in made("table", USER="root")
    assert '--after "ITEM#msg_1"' in made("table", "THREAD=thr_1", "AFTER=ITEM#msg_1")


def test_without_a_stage_it_is_the_make_dev_that_is_running(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("PORT", raising=False)
    with own_cloud(monkeypatch) as variables:
        monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (tmp_path / "8000.env").write_text("".join(lines))
        typed(monkeypatch, "seed", "--people", "1", "--days=3")
        typed(monkeypatch, "table", "--user=demo-001")
        shown = capsys.readouterr().out
        assert "make dev on port 8000: the person demo-001" in shown
        assert "THREAD#thr_" in shown


@pytest.mark.parametrize("name", ["table", "seed"])
def test_without_a_stage_and_without_a_make_dev_no_account_is_asked(monkeypatch, tmp_path, name):
    monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("PORT", "8765")
    monkeypatch.setattr(Account, "check", lambda _: pytest.fail("no stage is meant"))
    why = rf"No make dev is running on port 8765\. For a stage: make {name} STAGE=prod"
    with pytest.raises(SystemExit, match=why):
        typed(monkeypatch, name)


def test_a_stage_is_found_by_the_outputs_of_its_stack(monkeypatch, capsys):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    outputs = {"TableName": "conversations", "FilesBucketName": "files"}
    settings = read_settings({"region": REGION})
    with mock_aws():
        create_table(boto3.client("dynamodb"), "conversations")
        create_bucket(boto3.client("s3"), "files")
        # How a stage's outputs are found is tested with make budget; moto's CloudFormation is slow.
        monkeypatch.setattr(deployment, "found_outputs", lambda *_: outputs)
        words = ["--people=1", "--days=3", "--yes"]
        command.run("seed", words, settings, Account(settings))
        command.run("table", [], settings, Account(settings))
        shown = capsys.readouterr().out
        assert "the stage dev: people with conversations" in shown
        assert "demo-001" in shown
        with pytest.raises(SystemExit, match="PEOPLE=none is no number from 1 to 999"):
            command.run("seed", ["--people=none"], settings, Account(settings))
