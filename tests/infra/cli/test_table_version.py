"""The version of a table: kept by a deploy, and a later one is refused."""

import json

import boto3
import pytest
from moto import mock_aws

from functions.store import create_table
from functions.store.schema import VERSION
from infra.cli import cdk, command, deploy, table_version
from infra.cli.account import Account, AccountError
from infra.stack.context import read_settings

TABLE = "chatkit-dev-TableABC"
SETTINGS = read_settings({"region": "eu-central-1"})


@pytest.fixture
def client(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        made = boto3.client("dynamodb")
        create_table(made, TABLE)
        yield made


@pytest.fixture
def deployed(client, monkeypatch, tmp_path):
    """What a deploy of a stage whose stack exists runs; returns the CDK's commands so far."""
    ran, outputs = [], tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"chatkit-dev": {"TableName": TABLE, "PageUrl": "https://x"}}))
    monkeypatch.setattr(deploy, "OUTPUTS", outputs)
    monkeypatch.setattr(cdk, "run", lambda *words: ran.append(words[0]))
    monkeypatch.setattr(deploy, "found_outputs", lambda *_: {"TableName": TABLE})
    for name in ("remove_old_versions", "after_deploy"):
        monkeypatch.setattr(deploy, name, lambda *_: None)
    return ran


def put(client, version, table=TABLE):
    row = {"pk": {"S": "SCHEMA"}, "sk": {"S": "VERSION"}, "version": {"N": str(version)}}
    client.put_item(TableName=table, Item=row)


def run_deploy(settings=SETTINGS):
    command.run("deploy", [], settings, Account(settings))


def test_a_deploy_keeps_its_version_and_takes_no_later_one_back(client, deployed):
    assert table_version.read(client, TABLE) == 1
    run_deploy()
    assert (deployed, table_version.read(client, TABLE)) == (["deploy"], VERSION)
    put(client, VERSION + 1)
    table_version.record(client, TABLE)
    assert table_version.read(client, TABLE) == VERSION + 1


def test_a_deploy_over_a_table_of_a_later_version_is_refused_before_anything_is_changed(
    client, deployed
):
    put(client, VERSION + 1)
    with pytest.raises(SystemExit, match=f"has schema {VERSION + 1}, and this version knows"):
        run_deploy()
    assert deployed == []


def test_the_table_that_a_deploy_switches_to_is_the_one_that_counts(client, deployed):
    create_table(client, "restored")
    put(client, VERSION + 1, "restored")
    settings = read_settings(
        {"region": "eu-central-1", "restoredTable": "restored/stream/2026-11-26T02:00:00.000"}
    )
    with pytest.raises(SystemExit, match="The table restored has schema"):
        run_deploy(settings)


def test_a_role_that_may_not_look_deploys_and_says_so(client, deployed, monkeypatch, capsys):
    def refused(*_):
        raise AccountError("AWS refused: not authorized")

    monkeypatch.setattr(table_version, "check", refused)
    monkeypatch.setattr(table_version, "record", refused)
    run_deploy()
    assert deployed == ["deploy"]
    said = capsys.readouterr().out
    assert "was not checked. AWS refused: not authorized" in said
    assert "was not kept" in said


def test_the_first_deploy_has_no_table_to_look_at(client, deployed, monkeypatch):
    monkeypatch.setattr(deploy, "found_outputs", lambda *_: None)
    run_deploy()
    assert deployed == ["deploy"]
