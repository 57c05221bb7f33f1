"""What goes wrong at the start is said in one line, with what to do about it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def start(target="infra.local", **environment):
    hidden = ("OPENAI_", "GEMINI_", "CHATKIT_", "AWS_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, "-m", target],
            cwd=ROOT,
            env={**inherited, "CHATKIT_LOCAL_DIR": folder, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def test_a_taken_port_is_one_line_that_names_another():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start(PORT=str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"make dev: Port {port} is taken. Choose another one: PORT={port + 1} make dev\n"
    )


def test_make_lambda_says_so_in_its_own_name():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start("infra.emulator", PORT=str(port))
    assert done.stderr.startswith(f"make lambda: Port {port} is taken.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PORT": "eighty"}, "PORT=eighty is not a number"),
        ({"PORT": "99999"}, "PORT=99999 is not a number from 1 to 65535"),
        ({"HOST": "nowhere.invalid"}, "HOST=nowhere.invalid is not an address"),
        ({"AWS_ENDPOINT_URL": "junk"}, "look at AWS_ENDPOINT_URL"),
        ({"CHATKIT_ALLOWED_ORIGINS": "*"}, "is not an origin"),
        ({"CHATKIT_AUTH": "jwt"}, "CHATKIT_AUTH: Input should be 'anonymous' or 'oidc'"),
        ({"CHATKIT_AUTH": "oidc"}, "CHATKIT_AUTH=oidc needs CHATKIT_OIDC_ISSUER"),
        (
            {"CHATKIT_AUTH": "oidc", "CHATKIT_OIDC_ISSUER": "http://login.example"},
            "CHATKIT_OIDC_ISSUER: an issuer is an https:// address",
        ),
        (
            {"CHATKIT_AUTH": "oidc", "CHATKIT_OIDC_ISSUER": "https://login.example"},
            "needs CHATKIT_OIDC_CLIENT_ID or CHATKIT_OIDC_AUDIENCE",
        ),
        ({"CHATKIT_OIDC_CLIENT_ID": "page"}, "CHATKIT_OIDC_CLIENT_ID needs CHATKIT_AUTH=oidc"),
        ({"SIGN_IN": "google"}, "SIGN_IN=google is not known: it can be demo."),
        ({"SIGN_IN": "demo", "PORT": "65500"}, "needs port 65600, too"),
        ({"CHATKIT_COOKIE_KEY": "short"}, "CHATKIT_COOKIE_KEY is shorter"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, "CHATKIT_MODEL"),
        ({"CHATKIT_MODEL_API": "telepathy"}, "CHATKIT_MODEL_API"),
        ({"OPENAI_API_KEY": "“k”"}, "OPENAI_API_KEY: the key has a character"),
        ({"OPENAI_API_KEY": "k", "ALL_PROXY": "socks5://127.0.0.1:1080"}, "ALL_PROXY"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_line_that_names_it(environment, says):
    done = start(**environment)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.fixture
def checkout(tmp_path):
    """Just enough of a fresh checkout for its set-up to begin."""
    for name in ("infra/local", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def set_up(checkout, python, **environment):
    command = [python, "infra/local/setup.py", "python"]
    return subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_network_the_set_up_says_so_in_one_line(checkout):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    hidden = {"PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    done = set_up(checkout, sys.executable, **nowhere, **hidden)
    assert done.returncode == 1
    assert "Is there a network?" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "ERROR" in (checkout / ".venv/setup.log").read_text()


def test_a_half_made_environment_is_made_anew(checkout):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": os.devnull}
    set_up(checkout, sys.executable, **nowhere)
    assert (checkout / ".venv/bin/pip").exists()


def test_an_old_python_is_told_so_in_one_line(checkout):
    script = checkout / "infra/local/setup.py"
    script.write_text(script.read_text().replace("MIN_PYTHON = (3, 11)", "MIN_PYTHON = (9, 0)"))
    done = set_up(checkout, sys.executable)
    assert done.returncode == 1
    assert "Python 9.0 or later is needed" in done.stderr
    assert done.stderr.count("\n") == 1
