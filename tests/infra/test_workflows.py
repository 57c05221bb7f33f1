"""The workflow of GitHub Actions, as far as it runs without GitHub."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI, Request
from moto.server import ThreadedMotoServer

from tests.support.served import served

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / ".github" / "workflows" / "ci.yml"
ROLE = "arn:aws:iam::123456789012:role/deployer"
GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


@pytest.fixture(scope="module")
def steps():
    jobs = yaml.safe_load(FILE.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.fixture
def token_server():
    """GitHub's server of tokens, and the requests that it got."""
    app, asked = FastAPI(), []

    @app.get("/token")
    async def token(request: Request):
        asked.append((request.url.query, request.headers["authorization"]))
        return {"value": "the.jobs.token"}

    with served(app) as url:
        yield url, asked


@pytest.fixture
def sts():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def taking_the_role(steps, **variables):
    [command] = [step["run"] for step in steps if "github_role" in step.get("run", "")]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "GITHUB_", "ACTIONS_"))
    }
    return subprocess.run(
        ["bash", "-ec", command.replace(".venv/bin/python", sys.executable)],
        cwd=ROOT,
        env={**kept, "ROLE": ROLE, "AWS_REGION": "eu-central-1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(GO is None, reason="actionlint needs Go")
def test_actionlint_finds_nothing_in_the_workflows(steps):
    [command] = [step["run"] for step in steps if "actionlint" in step.get("run", "")]
    done = subprocess.run(
        command.replace("go ", f"{GO} ", 1).split(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_an_action_is_one_of_githubs_own_and_named_by_the_hash_of_a_commit(steps):
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", each)] == []


def test_each_command_of_make_that_a_job_runs_exists(steps):
    targets = {
        found[1] for step in steps if (found := re.match(r"make ([a-z-]+)", step.get("run", "")))
    }
    assert targets >= {"setup", "synth", "diff", "deploy"}
    subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_a_job_gets_the_roles_credentials_for_its_token_and_the_log_hides_them(
    steps, token_server, sts, tmp_path
):
    url, asked = token_server
    variables = tmp_path / "environment"
    done = taking_the_role(
        steps,
        ACTIONS_ID_TOKEN_REQUEST_URL=f"{url}/token?api-version=2.0",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="of-the-job",
        AWS_ENDPOINT_URL_STS=sts,
        GITHUB_ENV=str(variables),
    )
    assert done.returncode == 0, done.stderr
    assert asked == [("api-version=2.0&audience=sts.amazonaws.com", "bearer of-the-job")]
    given = dict(line.split("=", 1) for line in variables.read_text().splitlines())
    assert set(given) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    *masks, said = done.stdout.splitlines()
    assert {mask.removeprefix("::add-mask::") for mask in masks} == set(given.values())
    assert said.startswith(f"This job acts as {ROLE} until ")
    assert "the.jobs.token" not in done.stdout + done.stderr


def test_outside_of_such_a_job_one_line_says_so(steps):
    done = taking_the_role(steps)
    assert done.returncode == 1
    assert done.stderr == "This is no job of GitHub Actions with `permissions: id-token: write`.\n"


def test_the_role_can_be_taken_by_the_stages_environment_alone_and_reads_no_secret(synth):
    template = synth(stage="prod", githubRepository="acme/chat", provider="openai")["chatkit-prod"]
    role = template.only("AWS::IAM::Role", "Deployer")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:acme/chat:environment:prod",
        }
    }
    policy = template.only("AWS::IAM::Policy", "Deployer")["PolicyDocument"]["Statement"]
    assert {each["Sid"]: each["Action"] for each in policy} == {
        "ActAsTheCdk": "sts:AssumeRole",
        "LookAtSecrets": "secretsmanager:DescribeSecret",
        "LookAtStack": ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
        "TableVersion": ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        "ListVersions": ["lambda:GetAlias", "lambda:ListVersionsByFunction"],
        "RemoveVersions": "lambda:DeleteFunction",
    }
    [removed] = [each["Resource"] for each in policy if each["Sid"] == "RemoveVersions"]
    assert len(removed) == 5
    assert all(arn["Fn::Join"][1][1] == ":*" for arn in removed)  # a version, never the function
    assert "role/cdk-" in json.dumps(policy[0]["Resource"])
    assert "DeployRole" in template.body["Outputs"]
