"""`cdk synth`, typed in a fresh clone, prepares the clone and runs the app under its own Python."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "infra").mkdir()
    shutil.copy(ROOT / "infra/cdk_app.py", tmp_path / "infra")
    return tmp_path


def run_app(clone, **environment):
    """Run the command of `cdk.json` as the CDK does."""
    command = json.loads((ROOT / "cdk.json").read_text())["app"]
    words = command.split()
    assert words[0] == "python3"
    return subprocess.run(
        [sys.executable, *words[1:]],
        cwd=clone,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_app_prepares_the_clone_and_runs_under_its_own_python(clone):
    (clone / "infra/local").mkdir()
    (clone / "infra/local/setup.py").write_text("print('setup: making .venv')")
    python = clone / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"; pwd\n')
    python.chmod(0o755)
    done = run_app(clone)
    assert (done.returncode, done.stderr) == (0, "setup: making .venv\n")
    assert done.stdout == f"-m infra.app\n{clone}\n"


def test_what_cannot_be_prepared_is_said_in_one_line(clone):
    for name in ("infra/local", "requirements"):
        shutil.copytree(ROOT / name, clone / name)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    done = run_app(clone, **nowhere, PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "Is there a network?" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_every_feature_flag_is_set_as_in_a_new_project():
    from infra.cli import cdk

    if not cdk.installed():
        cdk.run("--version")  # which installs it
    templates = ROOT / "infra/node_modules/aws-cdk/lib/init-templates"
    recommended = templates / ".recommended-feature-flags.json"
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    flags = {name: value for name, value in context.items() if name.startswith("@")}
    assert flags == json.loads(recommended.read_text())
