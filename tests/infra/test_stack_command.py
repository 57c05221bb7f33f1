"""The commands that people type: the pinned CDK, offline; settings that are wrong; the secret."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra import command, smoke
from infra.config import read_settings

ROOT = Path(__file__).resolve().parents[2]
UNREACHABLE = "http://127.0.0.1:9"


def test_the_lock_names_the_pinned_cdk_by_its_hash_and_by_no_address():
    lock = json.loads((ROOT / "infra" / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "infra" / "package.json").read_text())["devDependencies"]
    cli = lock["packages"]["node_modules/aws-cdk"]
    assert re.fullmatch(r"2\.\d+\.\d+", wanted["aws-cdk"])
    assert cli["version"] == wanted["aws-cdk"]
    assert cli["integrity"].startswith("sha512-")
    assert "resolved" not in json.dumps(lock)


def test_the_pinned_cdk_synthesizes_without_account_and_network(tmp_path, monkeypatch):
    if not command._installed():
        command.cdk("--version")  # which installs it
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, UNREACHABLE)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    app = f"{sys.executable} {Path(__file__).with_name('offline_app.py')}"
    out = tmp_path / "cdk.out"
    command.cdk("synth", "--quiet", "--app", app, "-o", str(out), "-c", "stage=qa")
    template = json.loads((out / "chatkit-qa.template.json").read_text())
    assert len(template["Resources"]) > 50


def test_a_wrong_setting_is_one_line_before_anything_starts():
    done = subprocess.run(
        [sys.executable, "-m", "infra.command", "deploy", "-c", "snapstart=true"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "There is no setting 'snapstart'. Did you mean snapStart?\n"
    assert done.stdout == ""


@pytest.fixture
def aws(monkeypatch):
    """A stage in moto whose model's key was made by the stack, without a value."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        vault = boto3.client("secretsmanager")
        arn = vault.create_secret(Name="model")["ARN"]
        output = {"ModelSecret": {"Value": arn}, "PageUrl": {"Value": "https://page.example"}}
        body = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": output}
        boto3.client("cloudformation").create_stack(
            StackName="chatkit-dev", TemplateBody=json.dumps(body)
        )
        yield vault, arn


SETTINGS = read_settings({"region": "eu-central-1", "provider": "openai"})


def test_a_key_that_is_piped_in_is_set_and_shown_nowhere(aws, monkeypatch, capsys):
    vault, arn = aws
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-very-secret\n"))
    command.set_secret(SETTINGS)
    assert vault.get_secret_value(SecretId=arn)["SecretString"] == "sk-very-secret"
    shown = capsys.readouterr()
    assert "very-secret" not in shown.out + shown.err


def test_nothing_typed_changes_nothing(aws, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(SystemExit, match="Nothing was typed"):
        command.set_secret(SETTINGS)


def test_after_a_deploy_a_key_that_is_missing_is_asked_for_before_any_test(
    aws, monkeypatch, capsys
):
    _, arn = aws
    monkeypatch.setattr(smoke, "smoke", lambda *_: pytest.fail("there is no key yet"))
    command.after_deploy(SETTINGS, {"PageUrl": "https://page.example", "ModelSecret": arn})
    assert "make secret" in capsys.readouterr().out


def test_after_a_deploy_the_smoke_test_decides(monkeypatch, capsys):
    def fails(address, _):
        raise smoke.SmokeError(f"{address} is down")

    monkeypatch.setattr(smoke, "smoke", fails)
    with pytest.raises(SystemExit, match=r"page\.example is down"):
        command.after_deploy(read_settings({}), {"PageUrl": "https://page.example"})
