"""`make rollback`: what runs, what would run again, and that nothing else is changed."""

import io
import json
import zipfile
from datetime import datetime
from itertools import count

import boto3
import pytest
from moto import mock_aws

from infra.cli import command, rollback
from infra.cli.account import Account
from infra.cli.rollback import remove_old_versions
from infra.stack.context import read_settings

SETTINGS = read_settings({"region": "eu-central-1"})
STACK = "chatkit-dev"
NUMBERS = count()
ROLE = "arn:aws:iam::123456789012:role/of-a-function"


@pytest.fixture
def functions(monkeypatch):
    """A stage with two functions in moto; one of the CDK's own is in its stack, too."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
        boto3.client("iam").create_role(
            RoleName="of-a-function", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )
        function = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": ROLE,
                "Code": {"ZipFile": "pass"},
            },
        }
        named = {
            name: {**function, "Properties": {**function["Properties"], "FunctionName": name}}
            for name in ("Chat", "Actions", "OfTheCdk")
        }
        boto3.client("cloudformation").create_stack(
            StackName=STACK, TemplateBody=json.dumps({"Resources": named})
        )
        client = boto3.client("lambda")
        for name in ("Chat", "Actions"):
            client.create_alias(
                FunctionName=name, Name="live", FunctionVersion=publish(client, name)
            )
        yield client


def publish(client, name):
    """Publish a version. Lambda publishes none while the code is the same."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("index.py", f"number = {next(NUMBERS)}")
    client.update_function_code(FunctionName=name, ZipFile=packed.getvalue())
    return client.publish_version(FunctionName=name)["Version"]


def deploy(client):
    for name in ("Chat", "Actions"):
        client.update_alias(FunctionName=name, Name="live", FunctionVersion=publish(client, name))


def live(client):
    return [
        client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        for name in ("Chat", "Actions")
    ]


def roll_back(*arguments):
    command.run("rollback", list(arguments), SETTINGS, Account(SETTINGS))


def test_every_function_runs_the_version_before_again(functions, capsys):
    deploy(functions)
    assert live(functions) == ["2", "2"]
    roll_back("--yes")
    assert live(functions) == ["1", "1"]
    said = capsys.readouterr().out
    assert "Chat: version 2 of " in said
    assert "-> version 1 of " in said


@pytest.mark.parametrize(("typed", "after"), [("yes\n", ["1", "1"]), ("no\n", ["2", "2"])])
def test_without_yes_on_the_command_line_it_asks(functions, monkeypatch, typed, after):
    deploy(functions)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    if typed == "no\n":
        with pytest.raises(SystemExit, match=r"Nothing is changed\."):
            roll_back()
    else:
        roll_back()
    assert live(functions) == after


def test_a_function_that_the_last_deploy_has_added_stays(functions, capsys):
    functions.update_alias(
        FunctionName="Chat", Name="live", FunctionVersion=publish(functions, "Chat")
    )
    roll_back("--yes")
    assert live(functions) == ["1", "1"]
    assert "Actions: stays as it is, for it has no version before" in capsys.readouterr().out


def test_a_function_that_the_last_deploy_has_not_changed_stays(functions, monkeypatch, capsys):
    for name in ("Actions", "Chat"):
        number = publish(functions, name)
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=number)
    version = functions.get_function(FunctionName="Chat", Qualifier="2")["Configuration"]
    # moto does not say when a stack was updated.
    began = datetime.fromisoformat(version["LastModified"])
    monkeypatch.setattr(rollback, "last_deploy", lambda *_: began)
    roll_back("--yes")
    assert live(functions) == ["1", "2"]
    assert "Actions: stays as it is, for the last deploy has not" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="was taken back already"):
        roll_back("--yes")
    assert live(functions) == ["1", "2"]


def test_after_the_first_deploy_there_is_nothing_to_go_back_to(functions):
    with pytest.raises(SystemExit, match="chatkit-dev was deployed once"):
        roll_back("--yes")
    assert live(functions) == ["1", "1"]


def test_a_deploy_keeps_the_version_that_runs_and_the_one_before(functions):
    for _ in range(3):
        deploy(functions)
    remove_old_versions(Account(SETTINGS), STACK)
    pages = functions.list_versions_by_function(FunctionName="Chat")["Versions"]
    assert [each["Version"] for each in pages] == ["$LATEST", "3", "4"]
    roll_back("--yes")
    assert live(functions) == ["3", "3"]


def test_the_alias_is_the_stacks():
    from infra.stack import function

    assert rollback.ALIAS == function.ALIAS
