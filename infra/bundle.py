"""Builds the bundles that are uploaded to Lambda: our code, its dependencies and byte-code.

    python -m infra.bundle --out DIR [--host] [--function chat|actions|ingest|all]

makes `DIR/chat`, `DIR/actions` and `DIR/ingest`. Each holds everything of one function's /var/task;
the events function and the changes function have the same as the actions function.
Docker is not needed: uv installs wheels for Lambda's platform. With `--host` the bundles are
for this machine's Python and CPU.

The same inputs give the same bytes. A result is kept under `.cache/bundle` by a hash of its
inputs, so a second build only finds it.
"""

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.assistant_package import NOT_SHIPPED, AssistantPackage, assistant_package
from infra.bundling import bytecode, trim
from infra.bundling.sources import Sources

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ("chat", "actions", "ingest")
PYTHON = "3.13"
"""Version of the Lambda runtime, as in `infra.stack.function`."""

MAX_CACHED = 12
"""Bundles of one kind in the cache; the least recently used are removed."""

_CACHE = ROOT / ".cache" / "bundle"
_LOCK = ROOT / "requirements" / "functions.txt"
_INGEST_LOCK = ROOT / "requirements" / "ingest.txt"  # what reads PDF, HTML and PowerPoint
_GEMINI_LOCK = ROOT / "requirements" / "gemini.txt"  # 100 MB that only Gemini's voice needs
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
_EPOCH = 315_532_800  # 1980-01-01, the first day that a zip file can name
_HARNESS = "toolkit/testing"  # for tests: it needs moto
_NOT_NEEDED = {
    "chat": ("actions", "changes", "events", "ingest", _HARNESS),
    "actions": ("ingest", _HARNESS),
    "ingest": ("actions", "assistant", "changes", "chat", "events", "voice", "web", _HARNESS),
}
NO_BYTECODE = (
    f"No Python {PYTHON} runs on this machine, nor can uv install one: the bundle has no "
    "byte-code, and every cold start compiles its imports: 2.6 s instead of 1.2 s in our "
    "measurement (python -m tests.bench.cold_start). Install Python "
    f"{PYTHON} (`uv python install {PYTHON}`) and build again."
)


def build(
    function: str,
    *,
    architecture: str = "arm64",
    host: bool = False,
    gemini_transcribes: bool = False,
    assistant: str | None = None,
) -> Path:
    """The directory of a built bundle. It belongs to the cache, so do not write into it.

    `architecture` is `arm64` or `x86_64`; `host` ignores it. With `gemini_transcribes` the
    second function's bundle can convert recordings to mp3. `assistant` is the module of another
    assistant than the starter, which is packed with what it needs, but not into `ingest`.

    Raises `RuntimeError` with uv's message when it cannot install the dependencies, and
    `ValueError` when the assistant's lock contradicts that of the functions. Warns when there is no
    Python to make byte-code with.
    """
    if function not in FUNCTIONS:
        raise ValueError(f"There is no function {function!r}: {', '.join(FUNCTIONS)}.")
    python = Path(sys.executable) if host else bytecode.find_python(PYTHON)
    if python is None:
        warnings.warn(NO_BYTECODE, stacklevel=2)
    target = _host_platform() if host else _PLATFORMS[architecture]
    sources = Sources.read(ROOT / "functions", without=_NOT_NEEDED[function]).under("functions")
    locks = [_LOCK]
    if function == "actions" and gemini_transcribes:
        locks.append(_GEMINI_LOCK)
    if function == "ingest":
        locks.append(_INGEST_LOCK)
        assistant = None
    own: frozenset[str] = frozenset()
    if (package := assistant_package(assistant)) is not None:
        package.check_requirements()
        own = package.own_packages
        sources |= _sources_of(package)
        locks += [package.requirements] if package.requirements else []
    rules = [*locks, Path(__file__), *sorted((ROOT / "infra" / "bundling").glob("*.py"))]
    dependencies_key = [
        target,
        bytecode.describe(python),
        *(hashlib.sha256(path.read_bytes()).hexdigest() for path in rules),
        *sorted(sources.imported() & trim.TRIMMED_UNLESS_IMPORTED),
        *sorted(sources.aws_services()),
    ]

    def dependencies(tree: Path) -> None:
        for lock in locks:
            _install(tree, lock, target=None if host else target)
        trim.trim(tree, sources, own)
        _compile(tree, python)

    def whole(tree: Path) -> None:
        base = _cached("dependencies", dependencies_key, dependencies)
        shutil.copytree(base, tree, dirs_exist_ok=True, copy_function=os.link)
        sources.write(tree)
        _compile(tree, python)
        _normalise(tree)

    return _cached(function, [*dependencies_key, sources.digest], whole)


def _sources_of(package: AssistantPackage) -> Sources:
    parents = Sources.of_files(ROOT, package.parents)
    if not package.path.is_dir():
        return parents | Sources.of_files(ROOT, [package.path])
    own = Sources.read(package.path, without=NOT_SHIPPED)
    return parents | own.under(package.path.relative_to(ROOT).as_posix())


def copy(
    function: str, directory: Path, *, architecture: str = "arm64", host: bool = False
) -> Path:
    """Build a bundle and replace `directory/<function>` with a copy of it."""
    built = build(function, architecture=architecture, host=host)
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / function
    with tempfile.TemporaryDirectory(dir=directory, prefix=".bundle-") as scratch:
        shutil.copytree(built, Path(scratch) / "new")
        if target.exists():
            target.rename(Path(scratch) / "old")
        (Path(scratch) / "new").rename(target)
    return target


def _install(tree: Path, lock: Path, *, target: str | None) -> None:
    command = [bytecode.uv(), "pip", "install", "--quiet", "--target", str(tree), "--no-build"]
    command += ["--require-hashes", "--no-deps", "--link-mode", "copy", "--requirement", str(lock)]
    command += ["--python", sys.executable]
    if target is not None:
        command += ["--python-platform", target, "--python-version", PYTHON]
    done = subprocess.run(  # noqa: S603 - uv, with our own lock
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"uv could not install {lock.name}:\n{done.stderr}")


def _compile(tree: Path, python: Path | None) -> None:
    if python is not None:
        bytecode.compile_tree(tree, python)


def _cached(name: str, key: Sequence[str], make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256("\0".join((name, *key)).encode()).hexdigest()[:16]
    made = _CACHE / f"{name}-{digest}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two processes that need a bundle, one builds it
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=_CACHE, prefix=".making-") as scratch:
                tree = Path(scratch) / "tree"
                tree.mkdir()
                make(tree)
                tree.rename(made)
    _forget(name, keep=made)
    return made


def _forget(name: str, *, keep: Path) -> None:
    """Remove the least recently used bundles of `name`, but not `keep`."""
    stamp = keep.with_suffix(".used")
    stamp.touch()
    used = sorted(_CACHE.glob(f"{name}-*.used"), key=lambda path: path.stat().st_mtime)
    for old in used[:-MAX_CACHED]:
        shutil.rmtree(old.with_suffix(""), ignore_errors=True)
        old.unlink(missing_ok=True)


def _normalise(tree: Path) -> None:
    """Set modes and times that are the same for every build."""
    for path in [tree, *tree.rglob("*")]:
        executable = path.is_dir() or os.access(path, os.X_OK)
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (_EPOCH, _EPOCH))


def _host_platform() -> str:
    return f"host-{sys.platform}-{platform.machine()}-{sys.version_info[0]}.{sys.version_info[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.bundle", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--host", action="store_true", help="for this machine, not for Lambda")
    parser.add_argument("--function", choices=(*FUNCTIONS, "all"), default="all")
    parser.add_argument("--architecture", choices=tuple(_PLATFORMS), default="arm64")
    arguments = parser.parse_args()
    for function in FUNCTIONS if arguments.function == "all" else (arguments.function,):
        made = copy(
            function, arguments.out, architecture=arguments.architecture, host=arguments.host
        )
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        sys.stdout.write(f"{made}  {size / 1_000_000:.1f} MB\n")


if __name__ == "__main__":
    main()
