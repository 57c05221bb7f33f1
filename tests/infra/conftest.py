"""Templates of the stack, each synthesized once: the CDK's engine takes seconds to start."""

import hashlib
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.template import ACCOUNT, Template

ROOT = Path(__file__).resolve().parents[2]

# Nothing is downloaded by a test: a bundle for Lambda then has no byte-code.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
# The CDK's engine warns of an old Node at each start; the Makefile brings a newer one.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")


@pytest.fixture(scope="session")
def placeholders(tmp_path_factory) -> tuple[Path, Path]:
    """Minimal code of a function, and a minimal built page."""
    code = tmp_path_factory.mktemp("code")
    (code / "functions").mkdir()
    (code / "functions" / "module.py").write_text("")
    page = tmp_path_factory.mktemp("page")
    (page / "index.html").write_text("<!doctype html>")
    (page / "assets").mkdir()
    (page / "assets" / "index-5d41402a.js").write_text("")
    return code, page


@pytest.fixture(scope="session")
def synth(placeholders, tmp_path_factory, shared) -> Callable[..., dict[str, Template]]:
    """`synth(stage="qa", …)` returns the templates of one stage by stack name."""
    from aws_cdk import App

    from infra.app import add_stage
    from infra.stack.context import read_settings

    code, page = placeholders

    def made(context: dict[str, str]) -> dict[str, dict[str, Any]]:
        app = App(outdir=str(tmp_path_factory.mktemp("cdk.out")), context=context)
        settings = read_settings(context)
        add_stage(app, settings, bundle=lambda _: code, page=page, account=ACCOUNT)
        return {stack.stack_name: stack.template for stack in app.synth().stacks}

    @cache
    def read(typed: str) -> dict[str, Template]:
        context = json.loads((ROOT / "cdk.json").read_text())["context"] | json.loads(typed)
        name = f"templates-{hashlib.sha256(typed.encode()).hexdigest()[:16]}"
        bodies = shared.once(name, lambda: made(context))
        return {stack: Template(body) for stack, body in bodies.items()}

    def run(**typed: str) -> dict[str, Template]:
        return read(json.dumps(typed, sort_keys=True))

    return run


@pytest.fixture(scope="session")
def dev(synth) -> Template:
    """The stack with default settings."""
    return synth()["chatkit-dev"]


@pytest.fixture
def bare(tmp_path):
    """`bare(make)` returns the template of a stack that contains what `make(stack)` adds."""
    from aws_cdk import App, Environment, Stack

    def build(make: Callable[[Any], Any]) -> Template:
        app = App(outdir=str(tmp_path / "cdk.out"))
        stack = Stack(app, "bare", env=Environment(account=ACCOUNT, region="eu-central-1"))
        make(stack)
        return Template(app.synth().get_stack_by_name("bare").template)

    return build
