"""The start wrapper finds its own package in any folder and under any name."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

WRAPPER = Path(__file__).parents[2] / "functions" / "lambda_stream" / "bootstrap"


@pytest.fixture
def interpreter(tmp_path):
    """Replaces Python, and prints how it was started."""
    path = tmp_path / "python"
    path.write_text('#!/bin/sh\necho "$PYTHONPATH"; echo "$@"\n')
    path.chmod(0o755)
    return path


def start(wrapper, interpreter, **environment):
    done = subprocess.run(
        [wrapper, interpreter, "/var/runtime/bootstrap.py"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def installed(folder, packages):
    """The wrapper in `folder`, inside packages that each have an `__init__.py`."""
    place = folder
    for name in packages.split("."):
        place /= name
        place.mkdir(parents=True)
        (place / "__init__.py").touch()
    return Path(shutil.copy(WRAPPER, place))


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("var/task", "functions.lambda_stream"),
        ("opt/python", "chatkit_serverless.lambda_stream"),
        ("opt/python/lib/python3.13/site-packages", "chatkit_serverless.lambda_stream"),
        ("var/task", "mine.vendored.chatkit_serverless.lambda_stream"),
        ("var/task", "lambda_stream"),
        ("a folder with spaces", "functions.lambda_stream"),
    ],
)
def test_it_starts_the_package_that_contains_it(folder, package, interpreter, tmp_path):
    wrapper = installed(tmp_path / folder, package)
    assert start(wrapper, interpreter) == [str(tmp_path / folder), f"-u -S -m {package}"]


def test_it_keeps_the_path_and_puts_its_own_folder_first(interpreter, tmp_path):
    wrapper = installed(tmp_path / "task", "functions.lambda_stream")
    path, _ = start(wrapper, interpreter, PYTHONPATH="/var/runtime")
    assert path == f"{tmp_path / 'task'}:/var/runtime"
