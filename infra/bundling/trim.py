"""Removes files that are never read at run time, and packages that nothing imports.

The tests start both functions from the trimmed bundles and send them requests.
"""

import shutil
from pathlib import Path

from infra.bundling.sources import Sources

# Dependencies of dependencies that nothing imports here. A package that our own code imports, or
# that an assistant's lock names, stays.
UNUSED = {
    "cffi": "cryptography needs `_cffi_backend`, which lies beside it and stays",
    "pycparser": "cffi's",
    "requests": "openai-agents names it and uses httpx",
    "mangum": "the second function's adapter",
    "bin": "command line programs",
}
AWS_SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "ssm", "sts"})
# Pillow's colour profiles, AVIF and Tk: 6 MB. Here Pillow only makes images smaller.
_PILLOW_EXTRAS = {
    "PIL": ("_avif", "_imagingcms", "_imagingtk"),
    "pillow.libs": ("libavif", "liblcms2"),
}
# Pillow's fonts: 3 MB. Unless our own code writes into images.
_PILLOW_FONTS = {
    "PIL": ("_imagingft",),
    "pillow.libs": ("libbrotli", "libfreetype", "libharfbuzz"),
}
# What python-docx does not use of lxml: 5 MB. Unless our own code imports lxml.
_LXML_EXTRAS = ("objectify*", "builder*", "sax*", "html", "isoschematron")
# The Agents SDK's adapters to the sandboxes of other companies: 1.5 MB. Each needs a package of
# theirs, so nothing uses them unless our own code does.
_SANDBOXES = "agents.extensions.sandbox"
TRIMMED_UNLESS_IMPORTED = UNUSED.keys() | {"lxml", "PIL.ImageFont", _SANDBOXES}
# An unpacked copy of a file that lies beside it: 1 MB.
_DOCX_COPY = "docx/templates/default-docx-template"
_DROPPED_DIRECTORIES = frozenset({"__pycache__", "tests"})
_DROPPED_SUFFIXES = frozenset({".pyi", ".pyc", ".pyx", ".pxd", ".pxi", ".c", ".h", ".rs"})
_DROPPED_NAMES = frozenset({"py.typed", ".lock"})
_KEPT_METADATA = frozenset({"METADATA", "entry_points.txt"})


def trim(tree: Path, sources: Sources, own: frozenset[str] = frozenset()) -> None:
    """Remove from an installed tree what `sources` and their imports do not read.

    `own` are the packages that the assistant has locked. They may use each other, so they lose
    nothing but what no package reads, such as tests and type stubs.
    """
    used = sources.imported() | own
    for name in UNUSED.keys() - used:
        for path in [tree / name, *tree.glob(f"{name}-*.dist-info")]:
            shutil.rmtree(path, ignore_errors=True)
    _trim_metadata(tree)
    if "botocore" not in own:
        _trim_aws(tree, AWS_SERVICES | sources.aws_services())
    if "pillow" not in own:
        _trim_libraries(tree, _PILLOW_EXTRAS)
        if "PIL.ImageFont" not in used:
            _trim_libraries(tree, _PILLOW_FONTS)
    shutil.rmtree(tree / _DOCX_COPY, ignore_errors=True)
    if _SANDBOXES not in used:
        shutil.rmtree(tree / _SANDBOXES.replace(".", "/"), ignore_errors=True)
    if "lxml" not in used:
        _trim_lxml(tree)
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name in _DROPPED_DIRECTORIES:
                shutil.rmtree(path)
        elif path.suffix in _DROPPED_SUFFIXES or path.name in _DROPPED_NAMES:
            path.unlink()


def _trim_lxml(tree: Path) -> None:
    for pattern in _LXML_EXTRAS:
        for path in (tree / "lxml").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _trim_libraries(tree: Path, prefixes: dict[str, tuple[str, ...]]) -> None:
    for directory, names in prefixes.items():
        for name in names:
            for path in (tree / directory).glob(f"{name}*.so*"):
                path.unlink()


def _trim_metadata(tree: Path) -> None:
    """Keep versions and entry points: nothing reads the rest of the metadata."""
    for info in tree.glob("*.dist-info"):
        for path in info.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in _KEPT_METADATA:
                path.unlink()
        metadata = info / "METADATA"
        headers, _, _description = metadata.read_bytes().partition(b"\n\n")
        metadata.write_bytes(headers + b"\n")


def _trim_aws(tree: Path, services: frozenset[str]) -> None:
    """Keep botocore's data of the used services only: all 400 of them are 28 MB."""
    for data in (tree / "botocore" / "data", tree / "boto3" / "data"):
        if not data.is_dir():
            continue
        for path in data.iterdir():
            if path.is_dir() and path.name not in services:
                shutil.rmtree(path)
        for examples in data.rglob("examples-1.json*"):
            examples.unlink()
    shutil.rmtree(tree / "boto3" / "examples", ignore_errors=True)
