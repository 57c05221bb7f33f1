"""Makes byte-code with the Python version that will run it: /var/task in Lambda is read-only."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

WORKERS = 2
INSTALL_TIMEOUT = 120
"""Seconds that uv may take to download a Python."""

_PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:3])"
# UNCHECKED_HASH: an upload changes the sources' time stamps, and the byte-code stays valid.
# `dfile` is the path in Lambda, so that the path on this machine is not in the byte-code.
_COMPILE = """\
import py_compile, sys
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        py_compile.compile(
            path,
            dfile="/var/task/" + path,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError:
        pass  # a template, or code for another Python version
"""


def uv() -> str:
    """The `uv` of this environment."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise FileNotFoundError("uv is not installed: pip install -r requirements/dev.txt")
    return found


@functools.cache
def find_python(version: str, *, download: bool = True) -> Path | None:
    """A CPython of `version` (such as `3.13`) that runs here, or None.

    It looks on the path, at pyenv's versions and at uv's. With `download`, uv installs one
    where there is none. pyenv puts scripts on the path for versions that are not switched on,
    so every candidate is started once.
    """
    on_path = (
        Path(directory) / f"python{version}" for directory in os.environ.get("PATH", "").split(":")
    )
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (*on_path, *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))):
        if candidate.exists() and _runs(candidate, version):
            return candidate
    found = _python_of_uv(version)
    if found is None and download:
        _uv_python("install", "--no-bin", version)
        found = _python_of_uv(version)
    return found


def _python_of_uv(version: str) -> Path | None:
    found = _uv_python("find", "--no-python-downloads", version)
    return Path(found) if found and _runs(Path(found), version) else None


def _uv_python(*arguments: str) -> str:
    """The first line that `uv python` prints; empty when it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - uv, with constant arguments
            [uv(), "python", *arguments],
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.partition("\n")[0] if done.returncode == 0 else ""


def describe(python: Path | None) -> str:
    """The implementation and version that byte-code depends on, for a cache's key."""
    if python is None:
        return "none"
    done = subprocess.run(  # noqa: S603 - the interpreter that was found
        [python, "-c", _PROBE], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def compile_tree(tree: Path, python: Path) -> None:
    """Write a `.pyc` for every module below `tree` that has none yet.

    The bytes are the same each time: the hash seed is fixed, because it decides the order of
    constant sets, and each worker gets the same files in the same order.
    """
    modules = sorted(
        str(path.relative_to(tree))
        for path in tree.rglob("*.py")
        if not list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"))
    )
    workers = []
    for number in range(WORKERS):
        worker = subprocess.Popen(  # noqa: S603 - the interpreter that was found
            [python, "-I", "-c", _COMPILE],
            cwd=tree,
            env={"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")},
            stdin=subprocess.PIPE,
            text=True,
        )
        workers.append((worker, "\n".join(modules[number::WORKERS]) + "\n"))
    for worker, names in workers:
        if worker.stdin is not None:
            worker.stdin.write(names)
            worker.stdin.close()
    for worker, _ in workers:
        if worker.wait():
            raise subprocess.CalledProcessError(worker.returncode, [str(python)])


def _runs(python: Path, version: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - a candidate
            [python, "-c", _PROBE], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.startswith(f"cpython {version.replace('.', ' ')} ")
