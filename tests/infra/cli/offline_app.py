"""A CDK app for the command line under test: the real stack, with code and page in small."""

import os
import tempfile
from pathlib import Path

from aws_cdk import App

from infra.app import add_stage
from infra.stack.context import read_settings

scratch = Path(tempfile.mkdtemp(dir=os.environ["SCRATCH"]))
(scratch / "index.html").write_text("<!doctype html>")
app = App()
add_stage(app, read_settings(app.node.get_all_context()), bundle=lambda _: scratch, page=scratch)
app.synth()
