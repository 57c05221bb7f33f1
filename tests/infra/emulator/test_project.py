"""The emulator runs the bundles that are uploaded, where this machine can."""

import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra import bundle
from infra.bundling import bytecode
from infra.emulator import project
from infra.emulator.environment import Environment

COOKIE = {"CHATKIT_COOKIE_KEY": "0" * 64}
MAKE = {
    "chat": project.chat_configuration,
    "actions": project.actions_configuration,
    "events": project.events_configuration,
    "changes": project.changes_configuration,
    "ingest": project.ingest_configuration,
}

as_deployed = pytest.mark.skipif(project.lambda_python() is None, reason=project.description())


def interpreter_of(pid):
    return Path(f"/proc/{pid}/exe").readlink()


@as_deployed
@pytest.mark.parametrize("function", MAKE)
async def test_the_bundle_for_lambda_runs_on_lambdas_python_with_its_own_byte_code(function):
    shipped = "actions" if function in ("events", "changes") else function
    found = project.bundle(shipped)
    assert found.task_root == bundle.build(shipped, architecture="x86_64")
    # Python prints where each module comes from.
    variables = {**COOKIE, "PYTHONVERBOSE": "1"}
    configuration = MAKE[function](found.task_root, variables, python=found.python)
    async with Environment(replace(configuration, freeze=False)) as environment:
        assert await environment.wait_ready(), environment.output.decode()[-2000:]
        running = interpreter_of(environment.pid)
        output = environment.output.decode()
    assert bytecode.describe(running).startswith(f"cpython {bundle.PYTHON.replace('.', ' ')} ")
    loaded = [line for line in output.splitlines() if line.startswith("# code object from")]
    ours = [line for line in loaded if str(found.task_root) in line]
    assert [line for line in ours if "functions/settings.py" in line or "settings.cpython" in line]
    assert [line for line in ours if not line.rstrip("'").endswith(".cpython-313.pyc")] == []


def test_a_machine_without_lambdas_python_runs_bundles_of_its_own_and_says_so(monkeypatch):
    monkeypatch.setattr(bytecode, "find_python", lambda *_, **__: None)
    project.lambda_python.cache_clear()
    try:
        found = project.bundle("chat")
        line = project.description()
    finally:
        project.lambda_python.cache_clear()
    assert found == project.Bundle(bundle.build("chat", host=True), None)
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert line.startswith(f"The bundles are built for this machine's Python {own}, not as they")
    assert "\n" not in line


def test_another_cpu_does_not_look_for_lambdas_python(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(bytecode, "find_python", lambda *_, **__: pytest.fail("looked"))
    project.lambda_python.cache_clear()
    try:
        assert project.lambda_python() is None
    finally:
        project.lambda_python.cache_clear()


def test_an_empty_variable_of_the_shell_leaves_what_the_env_file_says(tmp_path, monkeypatch):
    """`make lambda` exports `CHATKIT_ASSISTANT`, empty when nobody has set it."""
    (tmp_path / ".env").write_text("CHATKIT_ASSISTANT=examples.shop\nCHATKIT_MODEL=a\nOTHER=x\n")
    (tmp_path / ".env.local").write_text("CHATKIT_MODEL=b\n")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setenv("CHATKIT_ASSISTANT", "")
    monkeypatch.delenv("CHATKIT_MODEL", raising=False)
    passed = project.passed_on()
    assert (passed["CHATKIT_ASSISTANT"], passed["CHATKIT_MODEL"]) == ("examples.shop", "b")
    assert "OTHER" not in passed
