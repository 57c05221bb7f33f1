"""Lambda's Python runtime directory: an interpreter without packages, and AWS's own client."""

import contextlib
import functools
import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from infra.bundling import bytecode

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "lambda-runtime"
LOCK = ROOT / "requirements" / "dev.txt"
CLIENT = ("awslambdaric", "simplejson")
"""AWS's runtime client and what it needs, as the lock names them."""

MODULES = ("awslambdaric", "runtime_client", "simplejson")
"""What these packages install."""

_BOOTSTRAP = """\
import os, sys
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
from awslambdaric.__main__ import main
main(["", os.environ["_HANDLER"]])
"""


def lay_out(directory: Path, python: Path | None) -> Path:
    """Fill `directory` as Lambda fills /var/runtime. Returns the interpreter to run.

    The interpreter is an empty virtual environment around `python`, or around this process's
    own. It has no packages, so a package that the bundle lacks is missing here as in Lambda.
    """
    (directory / "bootstrap.py").write_text(_BOOTSTRAP)
    for source in _own_client() if python is None else _client_for(python):
        (directory / source.name).symlink_to(source)
    base = _base(Path(sys.executable) if python is None else python)
    (directory / "python" / "bin").mkdir(parents=True)
    (directory / "python" / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n"
    )
    interpreter = directory / "python" / "bin" / "python3"
    interpreter.symlink_to(base)
    return interpreter


@functools.cache
def _base(python: Path) -> Path:
    """The interpreter itself where `python` is a virtual environment's or a script of pyenv's."""
    program = "import sys; print(sys.base_prefix, *sys.version_info[:2], sep='\\n')"
    done = subprocess.run(  # noqa: S603 - an interpreter that was found before
        [python, "-c", program], capture_output=True, text=True, check=True
    )
    prefix, major, minor = done.stdout.splitlines()
    return Path(prefix) / "bin" / f"python{major}.{minor}"


def _own_client() -> list[Path]:
    """The runtime's packages from this process's environment, for its own Python."""
    found = []
    for name in MODULES:
        if (spec := importlib.util.find_spec(name)) is not None and spec.origin:
            origin = Path(spec.origin)
            found.append(origin.parent if spec.submodule_search_locations else origin)
    return found


@functools.cache
def _client_for(python: Path) -> list[Path]:
    """The runtime's packages for another Python: one of them is a compiled library."""
    requirements = _locked(CLIENT)
    key = hashlib.sha256((bytecode.describe(python) + requirements).encode()).hexdigest()[:16]
    installed = CACHE / key
    if not installed.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".making-") as scratch:
            lock = Path(scratch) / "requirements.txt"
            lock.write_text(requirements)
            made = Path(scratch) / "packages"
            command = [bytecode.uv(), "pip", "install", "--quiet", "--target", str(made)]
            command += ["--python", str(python), "--no-build", "--no-deps", "--link-mode", "copy"]
            command += ["--require-hashes", "--requirement", str(lock)]
            subprocess.run(command, check=True)  # noqa: S603 - uv, with our own lock
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(installed)
    return [path for path in installed.iterdir() if path.name.partition(".")[0] in MODULES]


def _locked(names: Collection[str]) -> str:
    """The lines of the lock that pin `names`, with their hashes."""
    pins = re.finditer(r"^(\S+)==.*(?:\n .*)*", LOCK.read_text(), re.MULTILINE)
    return "\n".join(pin.group() for pin in pins if pin.group(1) in names)
