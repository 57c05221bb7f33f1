"""Installs the packages that only an assistant needs in a folder of their own, not in `.venv`.

Each folder under `.cache/packages/` has the packages of one lock. `make dev`, `make eval` and tests
of an assistant import from it. The bundle has these packages itself.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from functions.settings import ROOT
from infra.assistant_package import assistant_package
from infra.bundling.bytecode import uv

FOLDER = ROOT / ".cache" / "packages"


class PackagesError(Exception):
    """The packages of an assistant could not be installed. The message has uv's words."""


def use_own_packages(module: str | None) -> None:
    """Let this process import what the assistant in `module` needs. Installs it when it is missing.

    uvicorn gives `sys.path` to the processes that it starts. `PYTHONPATH` would come before
    `.venv`, and Pythons of other versions that are started from here would read it too.

    Raises `PackagesError`, and `ValueError` when its lock contradicts that of the functions.
    """
    package = assistant_package(module)
    if package is None or package.requirements is None:
        return
    package.check_requirements()
    folder = str(installed(package.requirements))
    if folder not in sys.path:
        # Behind `.venv`, which has the same versions of what both have.
        sys.path.append(folder)


def installed(lock: Path) -> Path:
    """The folder with the packages of `lock`, installed when it is not there yet."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    digest = hashlib.sha256(version.encode() + lock.read_bytes()).hexdigest()[:16]
    folder = FOLDER / digest
    if folder.is_dir():
        return folder
    print(f"setup: installing {lock.relative_to(ROOT)}", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    making = FOLDER / f".making-{digest}-{os.getpid()}"
    command = [uv(), "pip", "install", "--quiet", "--target", str(making), "--require-hashes"]
    command += ["--no-deps", "--python", sys.executable, "--requirement", str(lock)]
    done = subprocess.run(  # noqa: S603 - uv, with a lock of this repository
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(making, ignore_errors=True)
        raise PackagesError(f"{lock.relative_to(ROOT)} could not be installed:\n{done.stderr}")
    try:
        making.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(making, ignore_errors=True)
    return folder
