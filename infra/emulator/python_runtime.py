"""Lambda's Python runtime directory: an interpreter with no packages, and AWS's own client."""

import importlib.util
import sys
from pathlib import Path

_BOOTSTRAP = """\
import os, sys
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
from awslambdaric.__main__ import main
main(["", os.environ["_HANDLER"]])
"""


def lay_out(directory: Path, python: Path | None) -> Path:
    """Fill `directory` as /var/runtime is filled. Returns the interpreter to run.

    The interpreter is an empty virtual environment around this process's own: what a
    bundle forgot is missing here as it would be missing there.
    """
    (directory / "bootstrap.py").write_text(_BOOTSTRAP)
    for name in ("awslambdaric", "runtime_client", "simplejson"):
        if (spec := importlib.util.find_spec(name)) is not None and spec.origin:
            origin = Path(spec.origin)
            source = origin.parent if spec.submodule_search_locations else origin
            (directory / source.name).symlink_to(source)
    if python is not None:
        return python
    base = Path(sys._base_executable)
    (directory / "python" / "bin").mkdir(parents=True)
    (directory / "python" / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n"
    )
    interpreter = directory / "python" / "bin" / "python3"
    interpreter.symlink_to(base)
    return interpreter
