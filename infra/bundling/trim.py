"""What a bundle can do without. Whatever is dropped here is either never read at run time,
or belongs to a package that neither function imports; the bundle's tests start both from it.
"""

import ast
import shutil
from collections.abc import Iterable
from pathlib import Path

# Installed because something names them, imported by nothing that runs here.
UNUSED = {
    "chat": ("mangum",),
    "actions": (),
    "both": (
        "bin",
        "cffi",  # cryptography needs its `_cffi_backend`, which stays, and not the package
        "pycparser",
    ),
}
AWS_SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "ssm", "sts"})
_DROPPED_DIRECTORIES = frozenset({"__pycache__", "tests"})
_DROPPED_SUFFIXES = frozenset({".pyi", ".pyc", ".pyx", ".pxd", ".c", ".h", ".rs"})
_DROPPED_NAMES = frozenset({"py.typed"})
_KEPT_METADATA = frozenset({"METADATA", "entry_points.txt"})


def trim(tree: Path, *, function: str, sources: Path) -> None:
    """Cut an installed tree down to what `function` reads. `sources`: our own code,
    which says which AWS services it makes clients for.
    """
    for name in (*UNUSED[function], *UNUSED["both"]):
        for path in [tree / name, *tree.glob(f"{name}-*.dist-info")]:
            shutil.rmtree(path, ignore_errors=True)
    _trim_metadata(tree)
    _trim_aws(tree, AWS_SERVICES | aws_services(sources.rglob("*.py")))
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name in _DROPPED_DIRECTORIES:
                shutil.rmtree(path)
        elif path.suffix in _DROPPED_SUFFIXES or path.name in _DROPPED_NAMES:
            path.unlink()


def _trim_metadata(tree: Path) -> None:
    """`importlib.metadata` is asked for versions and entry points; nothing reads the rest."""
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
    """Botocore describes some 400 services in 28 MB, of which a handful is used."""
    for data in (tree / "botocore" / "data", tree / "boto3" / "data"):
        if not data.is_dir():
            continue
        for path in data.iterdir():
            if path.is_dir() and path.name not in services:
                shutil.rmtree(path)
        for examples in data.rglob("examples-1.json*"):
            examples.unlink()
    shutil.rmtree(tree / "boto3" / "examples", ignore_errors=True)


def aws_services(modules: Iterable[Path]) -> frozenset[str]:
    """The services that code makes clients for: the literal first argument of every call of
    something named `client` or `resource`. So a tool that talks to SQS brings SQS along.
    """
    found = set()
    for module in modules:
        for node in ast.walk(ast.parse(module.read_bytes())):
            if (
                isinstance(node, ast.Call)
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
                and _name(node.func) in {"client", "resource"}
            ):
                found.add(node.args[0].value)
    return frozenset(found)


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
