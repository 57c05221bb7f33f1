"""Our own code as it is shipped. It is read once, so the hash is of exactly what is written."""

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_NOT_SHIPPED_SUFFIXES = frozenset({".pyc"})
_NOT_SHIPPED_NAMES = frozenset({"README.md"})  # other Markdown may be a prompt


@dataclass(frozen=True)
class Sources:
    """Contents and executable bits by path."""

    files: dict[str, tuple[bytes, bool]]

    @classmethod
    def read(cls, directory: Path, *, without: tuple[str, ...] = ()) -> Self:
        """Read `directory`, but not the folders in `without`."""
        folders = tuple(f"{folder}/" for folder in without)
        files = {}
        for path in sorted(directory.rglob("*")):
            relative = path.relative_to(directory)
            hidden = any(part.startswith((".", "__pycache__")) for part in relative.parts)
            shipped = not hidden and path.suffix not in _NOT_SHIPPED_SUFFIXES
            shipped = shipped and path.name not in _NOT_SHIPPED_NAMES
            if shipped and not relative.as_posix().startswith(folders) and path.is_file():
                files[str(relative)] = (path.read_bytes(), os.access(path, os.X_OK))
        return cls(files)

    @classmethod
    def of_files(cls, root: Path, files: Iterable[Path]) -> Self:
        """Single files below `root`."""
        return cls(
            {
                str(path.relative_to(root)): (path.read_bytes(), os.access(path, os.X_OK))
                for path in files
            }
        )

    def under(self, folder: str) -> Self:
        """The same files in `folder`."""
        return type(self)({f"{folder}/{name}": each for name, each in self.files.items()})

    def __or__(self, other: Self) -> Self:
        return type(self)(self.files | other.files)

    @property
    def digest(self) -> str:
        digest = hashlib.sha256()
        for name, (content, executable) in self.files.items():
            digest.update(f"{name}\0{executable}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def write(self, directory: Path) -> None:
        for name, (content, executable) in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755 if executable else 0o644)

    def aws_services(self) -> frozenset[str]:
        """The AWS services that the code makes clients for.

        These are the literal first arguments of calls named `client` or `resource`. So a tool
        that uses SQS gets botocore's data of SQS into the bundle.
        """
        found: set[str] = set()
        for node in self._nodes():
            match node:
                case ast.Call(
                    func=ast.Name(id="client" | "resource")
                    | ast.Attribute(attr="client" | "resource"),
                    args=[ast.Constant(value=str(service)), *_],
                ):
                    found.add(service)
        return frozenset(found)

    def imported(self) -> frozenset[str]:
        """Top-level packages that the code imports, anywhere in a file, and what it imports from
        modules by name (`PIL.ImageFont`).
        """
        found: set[str] = set()
        for node in self._nodes():
            match node:
                case ast.Import(names=names):
                    found.update(alias.name.split(".")[0] for alias in names)
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    found.add(module.split(".")[0])
                    found.update(f"{module}.{alias.name}" for alias in names)
        return frozenset(found)

    def _nodes(self) -> Iterator[ast.AST]:
        for name, (content, _) in self.files.items():
            if name.endswith(".py"):
                yield from ast.walk(ast.parse(content, name))
