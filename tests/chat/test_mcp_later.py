"""MCP is there for whoever uses it, and costs nobody else a start."""

import os
import subprocess
import sys

import pytest

DEMO = {"PATH": os.environ["PATH"], "CHATKIT_COOKIE_KEY": "0" * 64}
INSTALL = "import sys; from functions.chat import mcp_later; mcp_later.import_agents(); "


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", INSTALL + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_agents_sdk_is_imported_without_mcp():
    assert run("print([name for name in sys.modules if name.startswith('mcp_types')])") == "[]"


def test_the_streaming_function_starts_without_mcp():
    code = "import sys, functions.chat.handler; print('mcp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=DEMO
    )
    assert (done.stdout.strip(), done.returncode) == ("False", 0), done.stderr


@pytest.mark.parametrize(
    "use",
    [
        "import mcp",
        "from agents.mcp import MCPServerStdio",
        "from mcp.shared.exceptions import MCPError",
    ],
)
def test_whoever_uses_mcp_gets_the_real_one(use):
    code = (
        f"{use}; from mcp import MCPError; from agents.mcp import _compat; "
        "error = MCPError(1, 'no'); "
        "print(error.message, isinstance(error, _compat.MCPError), "
        "isinstance(ValueError(), _compat.MCPError), _compat.mcp_error_code(error))"
    )
    assert run(code) == "no True False 1"


def test_no_error_is_mcps_while_mcp_is_not_there():
    code = "from agents.mcp import _compat; print(_compat.mcp_error_message(ValueError('v')))"
    assert run(code) == "v"


def test_with_the_sdk_imported_already_nothing_is_changed():
    code = (
        "before = dict(sys.modules); mcp_later.import_agents(); print(before == dict(sys.modules))"
    )
    assert run(code) == "True"
