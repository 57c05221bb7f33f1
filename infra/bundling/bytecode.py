"""Byte-code, made by the Python that will run it: Lambda cannot write any beside the code."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

WORKERS = 2
_INSTALL_SECONDS = 120
_PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:3])"
# Unchecked: valid whatever time stamps an upload gives to the sources. The name inside is
# where the file will lie, so that the machine which built it leaves no trace.
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
        pass  # a template, or code for another Python: it fails where it is imported, if ever
"""


def uv() -> str:
    """The `uv` of this environment."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise FileNotFoundError("uv is not installed: pip install -r requirements/dev.txt")
    return found


@functools.cache
def find_python(version: str) -> Path | None:
    """A CPython of `version` (such as `3.13`) that really runs here, or None.

    One that is there already, on the path or with pyenv, whose shims stand on the
    path also for versions that are not switched on; else what `uv` can download.
    """
    on_path = (
        Path(directory) / f"python{version}" for directory in os.environ.get("PATH", "").split(":")
    )
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (*on_path, *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))):
        if candidate.exists() and _runs(candidate, version):
            return candidate
    for arguments in (("find",), ("install", "--no-bin"), ("find",)):
        try:
            done = subprocess.run(  # noqa: S603 - uv, with constant arguments
                [uv(), "python", *arguments, version],
                capture_output=True,
                text=True,
                timeout=_INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        lines = done.stdout.split("\n")
        if done.returncode == 0 and lines[0] and _runs(Path(lines[0]), version):
            return Path(lines[0])
    return None


def describe(python: Path | None) -> str:
    """What decides how byte-code comes out, for a cache's key."""
    if python is None:
        return "none"
    done = subprocess.run(  # noqa: S603 - the interpreter that was just found
        [python, "-c", _PROBE], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def compile_tree(tree: Path, python: Path) -> None:
    """Put a `.pyc` beside every module below `tree` that has none yet.

    The same bytes each time: the hash seed is fixed, since sets of constants are written
    in its order, and each worker gets the same files in the same order.
    """
    modules = sorted(
        str(path.relative_to(tree))
        for path in tree.rglob("*.py")
        if not list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"))
    )
    workers = []
    for number in range(WORKERS):
        worker = subprocess.Popen(  # noqa: S603 - the interpreter that was found, our own program
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
        done = subprocess.run(  # noqa: S603 - asking a candidate who it is
            [python, "-c", _PROBE], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.startswith(f"cpython {version.replace('.', ' ')} ")
