"""The start wrapper finds its own package, wherever and under whatever name it is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

WRAPPER = Path(__file__).parents[2] / "functions" / "lambda_stream" / "bootstrap"


@pytest.fixture
def interpreter(tmp_path):
    """Prints how it was started, in place of Python."""
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
    """The wrapper below `folder`, in packages that each have an `__init__.py`."""
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
def test_it_starts_the_package_that_it_lies_in(folder, package, interpreter, tmp_path):
    wrapper = installed(tmp_path / folder, package)
    assert start(wrapper, interpreter) == [str(tmp_path / folder), f"-u -S -m {package}"]


def test_it_keeps_what_is_on_the_path_behind_its_own_folder(interpreter, tmp_path):
    wrapper = installed(tmp_path / "task", "functions.lambda_stream")
    path, _ = start(wrapper, interpreter, PYTHONPATH="/var/runtime")
    assert path == f"{tmp_path / 'task'}:/var/runtime"
