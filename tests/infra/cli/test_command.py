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

from functions.web.identity.signing_key import read_keys
from infra.cli import cdk, command, deploy, deployment, smoke
from infra.cli.account import Account
from infra.cli.typed import CommandError, Typed
from infra.stack.context import read_settings

ROOT = Path(__file__).resolve().parents[3]
UNREACHABLE = "http://127.0.0.1:9"


def test_the_lock_names_the_pinned_cdk_by_its_hash_and_by_no_address():
    lock = json.loads((ROOT / "infra" / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "infra" / "package.json").read_text())["devDependencies"]
    cli = lock["packages"]["node_modules/aws-cdk"]
    assert re.fullmatch(r"2\.\d+\.\d+", wanted["aws-cdk"])
    assert cli["version"] == wanted["aws-cdk"]
    assert cli["integrity"].startswith("sha512-")
    assert "resolved" not in json.dumps(lock)


def test_the_pinned_cdk_synthesizes_without_account_network_and_warnings(
    tmp_path, monkeypatch, capfd
):
    if not cdk.installed():
        cdk.run("--version")  # which installs it
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
    cdk.run("synth", "--quiet", "--app", app, "-o", str(out), "-c", "stage=qa")
    said = "".join(capfd.readouterr())
    assert "WARNING" not in said
    assert "feature flags" not in said
    template = json.loads((out / "chatkit-qa.template.json").read_text())
    assert len(template["Resources"]) > 50


def test_a_wrong_setting_is_one_line_before_anything_starts():
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli.command", "deploy", "-c", "snapstart=true"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "There is no setting 'snapstart'. Did you mean snapStart?\n"
    assert done.stdout == ""


def typed(*words, **environment):
    """A command as a person types it whose account is set up by `environment` alone."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "infra.cli.command", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**kept, "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **environment},
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_synth_takes_the_region_from_the_environment(monkeypatch, name):
    seen = []
    monkeypatch.setattr(command, "run", lambda _, __, settings, ___: seen.append(settings.region))
    for other in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "eu-west-1")
    for words in ("synth -c waf=true", "synth -c region=eu-north-1 -c waf=true"):
        monkeypatch.setattr("sys.argv", ["command", *words.split()])
        command.main()
    assert seen == ["eu-west-1", "eu-north-1"]


def test_a_stage_in_two_regions_without_a_region_says_what_sets_it():
    done = typed("synth", "-c", "waf=true")
    assert done.returncode == 1
    assert "set AWS_REGION, or -c region=" in done.stderr
    assert len(done.stderr.splitlines()) == 1


KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


@pytest.mark.parametrize(
    ("name", "environment", "says"),
    [
        *(
            (name, {"AWS_REGION": "us-east-1"}, "There are no AWS credentials: run `aws configure`")
            for name in ("deploy", "destroy", "bootstrap", "secret")
        ),
        ("deploy", KEYS, "There is no AWS region: set AWS_REGION"),
        (
            "deploy",
            {**KEYS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": UNREACHABLE},
            "AWS cannot be reached. Could not connect to the endpoint URL",
        ),
        ("deploy", {"AWS_PROFILE": "work"}, "The config profile (work) could not be found"),
    ],
)
def test_an_account_that_is_not_set_up_is_one_line_before_anything_is_built(
    name, environment, says
):
    done = typed(name, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith(says)
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_credentials_that_aws_refuses_are_one_line():
    from starlette.responses import Response

    from tests.support.served import served

    error = "<Code>ExpiredToken</Code><Message>The security token is expired</Message>"
    expired = Response(
        f"<ErrorResponse><Error>{error}</Error></ErrorResponse>", 403, media_type="text/xml"
    )
    with served(expired) as url:
        done = typed("deploy", **KEYS, AWS_REGION="us-east-1", AWS_ENDPOINT_URL=url)
    assert done.returncode == 1
    assert done.stderr == "AWS refused: The security token is expired\n"


def test_packages_that_cannot_be_had_are_said_without_a_traceback(monkeypatch, tmp_path):
    from infra import app, bundle

    def fails(*_, **__):
        raise RuntimeError("uv could not install functions.txt: no network")

    monkeypatch.setattr(bundle, "build", fails)
    monkeypatch.setattr(app, "PAGE", tmp_path)
    (tmp_path / "index.html").touch()
    with pytest.raises(SystemExit, match=r"^uv could not install functions\.txt: no network$"):
        app.main()


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
        cookie = vault.create_secret(Name="cookie", SecretString="o" * 64)["ARN"]
        turnstile = vault.create_secret(Name="turnstile")["ARN"]
        output = {
            "TurnstileSecret": {"Value": turnstile},
            "ModelSecret": {"Value": arn},
            "CookieSecret": {"Value": cookie},
            "PageUrl": {"Value": "https://page.example"},
        }
        body = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": output}
        boto3.client("cloudformation").create_stack(
            StackName="chatkit-dev", TemplateBody=json.dumps(body)
        )
        yield vault, arn


SETTINGS = read_settings({"region": "eu-central-1", "provider": "openai"})


def test_a_key_that_is_piped_in_is_set_and_shown_nowhere(aws, monkeypatch, capsys):
    vault, arn = aws
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-very-secret\n"))
    command.run("secret", [], SETTINGS, Account(SETTINGS))
    assert vault.get_secret_value(SecretId=arn)["SecretString"] == "sk-very-secret"
    shown = capsys.readouterr()
    assert "very-secret" not in shown.out + shown.err


def test_the_provider_that_answers_by_default_may_be_named(aws, monkeypatch):
    vault, arn = aws
    outputs = {"Provider": "openai", "ModelSecret": arn}
    monkeypatch.setattr(deployment, "found_outputs", lambda *_: outputs)
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-named\n"))
    command.run("secret", ["--key=openai"], SETTINGS, Account(SETTINGS))
    assert vault.get_secret_value(SecretId=arn)["SecretString"] == "sk-named"


def test_nothing_typed_changes_nothing(aws, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(SystemExit, match="Nothing was typed"):
        command.run("secret", [], SETTINGS, Account(SETTINGS))


def test_a_secret_for_a_stage_that_was_never_deployed_says_so(aws):
    other = read_settings({"stage": "qa", "region": "eu-central-1", "provider": "openai"})
    with pytest.raises(SystemExit, match="There is no stack chatkit-qa in this account"):
        command.run("secret", [], other, Account(other))


def test_a_stage_that_needs_no_key_says_so(aws):
    boto3.client("cloudformation").create_stack(
        StackName="chatkit-demo",
        TemplateBody=json.dumps({"Resources": {"R": {"Type": "AWS::SQS::Queue"}}}),
    )
    demo = read_settings({"stage": "demo", "region": "eu-central-1"})
    with pytest.raises(SystemExit, match="answers with the demo model"):
        command.run("secret", [], demo, Account(demo))


def test_a_stage_on_bedrock_needs_no_key_and_says_so(aws):
    boto3.client("cloudformation").create_stack(
        StackName="chatkit-keyless",
        TemplateBody=json.dumps(
            {
                "Resources": {"R": {"Type": "AWS::SQS::Queue"}},
                "Outputs": {"Provider": {"Value": "bedrock"}},
            }
        ),
    )
    # The provider may have been typed for the deploy only.
    keyless = read_settings({"stage": "keyless", "region": "eu-central-1"})
    with pytest.raises(SystemExit, match="needs no key: Amazon Bedrock knows the function by its"):
        command.run("secret", [], keyless, Account(keyless))
    with pytest.raises(SystemExit, match="This stage has no further models of openai"):
        command.run("secret", ["--key=openai"], keyless, Account(keyless))


def test_the_key_of_further_models_is_asked_for_after_a_deploy_and_set_by_its_provider(
    aws, monkeypatch, capsys
):
    vault, _ = aws
    monkeypatch.setattr(smoke, "smoke", lambda *_: None)
    gemini = vault.create_secret(Name="gemini")["ARN"]
    outputs = {"PageUrl": "https://page.example", "GeminiSecret": gemini}
    deploy.after_deploy(Account(SETTINGS), outputs)
    assert "make secret KEY=gemini" in capsys.readouterr().out
    monkeypatch.setattr(deployment, "found_outputs", lambda *_: outputs)
    monkeypatch.setattr("sys.stdin", io.StringIO("very-secret\n"))
    command.run("secret", ["--key", "gemini"], SETTINGS, Account(SETTINGS))
    assert vault.get_secret_value(SecretId=gemini)["SecretString"] == "very-secret"


def test_a_rotation_keeps_the_previous_key_and_shows_neither(aws, capsys):
    vault, _ = aws
    for words in (["--key", "cookie"], ["--key=cookie", "-c", "stage=dev"]):
        before = read_keys(vault.get_secret_value(SecretId="cookie")["SecretString"])
        command.run("secret", words, SETTINGS, Account(SETTINGS))
        after = read_keys(vault.get_secret_value(SecretId="cookie")["SecretString"])
        assert after[1:] == [before[0]]
        assert after[0] not in before
        shown = capsys.readouterr().out
        assert not [key for key in [*before, *after] if key in shown]


def test_after_a_leak_the_secret_holds_a_new_key_alone(aws, capsys):
    vault, _ = aws
    before = read_keys(vault.get_secret_value(SecretId="cookie")["SecretString"])
    command.run("secret", ["--key", "cookie", "--leaked"], SETTINGS, Account(SETTINGS))
    (after,) = read_keys(vault.get_secret_value(SecretId="cookie")["SecretString"])
    assert after not in before
    assert "all visitors are new" in capsys.readouterr().out


def test_without_a_name_the_key_is_the_models(aws, monkeypatch):
    vault, arn = aws
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-very-secret\n"))
    command.run("secret", [], SETTINGS, Account(SETTINGS))
    assert vault.get_secret_value(SecretId=arn)["SecretString"] == "sk-very-secret"
    with pytest.raises(SystemExit, match="There is no key 'cookies': KEY is model, cookie or"):
        command.run("secret", ["--key", "cookies"], SETTINGS, Account(SETTINGS))


def test_the_widgets_secret_key_is_set_in_its_own_secret_and_shown_nowhere(
    aws, monkeypatch, capsys
):
    vault, model = aws
    monkeypatch.setattr("sys.stdin", io.StringIO(" 0x4-very-secret\n"))
    command.run("secret", ["--key", "turnstile"], SETTINGS, Account(SETTINGS))
    assert vault.get_secret_value(SecretId="turnstile")["SecretString"] == "0x4-very-secret"
    assert "VersionIdsToStages" not in vault.describe_secret(SecretId=model)
    shown = capsys.readouterr()
    assert "very-secret" not in shown.out + shown.err


def test_a_stage_without_a_challenge_says_so(aws):
    boto3.client("cloudformation").create_stack(
        StackName="chatkit-open",
        TemplateBody=json.dumps({"Resources": {"R": {"Type": "AWS::SQS::Queue"}}}),
    )
    unchallenged = read_settings({"stage": "open", "region": "eu-central-1"})
    with pytest.raises(SystemExit, match="deploy it with -c turnstileSiteKey="):
        command.run("secret", ["--key=turnstile"], unchallenged, Account(unchallenged))


def test_after_a_deploy_the_widgets_missing_key_is_asked_for(aws, monkeypatch, capsys):
    vault, _ = aws
    monkeypatch.setattr(smoke, "smoke", lambda *_: None)
    outputs = {"PageUrl": "https://page.example", "TurnstileSecret": "turnstile"}
    deploy.after_deploy(Account(SETTINGS), outputs)
    assert "make secret KEY=turnstile" in capsys.readouterr().out
    vault.put_secret_value(SecretId="turnstile", SecretString="0x4")
    deploy.after_deploy(Account(SETTINGS), outputs)
    assert "make secret" not in capsys.readouterr().out


def test_a_stage_whose_version_knows_one_key_only_is_deployed_before_a_rotation(aws):
    boto3.client("cloudformation").create_stack(
        StackName="chatkit-old",
        TemplateBody=json.dumps({"Resources": {"R": {"Type": "AWS::SQS::Queue"}}}),
    )
    old = read_settings({"stage": "old", "region": "eu-central-1"})
    with pytest.raises(SystemExit, match="knows one key only: run `make deploy` first"):
        command.run("secret", ["--key", "cookie"], old, Account(old))


def test_the_profile_of_the_cdk_is_the_one_that_is_asked():
    assert Typed("diff", ["-c", "stage=qa", "--profile", "work"]).option("--profile") == "work"
    assert Typed("diff", ["--profile=work"]).option("--profile") == "work"
    assert Typed("diff", ["-c", "stage=qa"]).option("--profile") is None


def test_after_a_deploy_a_key_that_is_missing_is_asked_for_before_any_test(
    aws, monkeypatch, capsys
):
    _, arn = aws
    monkeypatch.setattr(smoke, "smoke", lambda *_: pytest.fail("there is no key yet"))
    outputs = {"PageUrl": "https://page.example", "ModelSecret": arn}
    deploy.after_deploy(Account(SETTINGS), outputs)
    assert "make secret" in capsys.readouterr().out


def test_after_a_deploy_the_smoke_test_decides(monkeypatch, capsys):
    def fails(address, _):
        raise smoke.SmokeError(f"{address} is down")

    monkeypatch.setattr(smoke, "smoke", fails)
    with pytest.raises(CommandError, match=r"page\.example is down"):
        deploy.after_deploy(Account(SETTINGS), {"PageUrl": "https://page.example"})
