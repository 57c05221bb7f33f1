"""Finds the code of the assistant that `CHATKIT_ASSISTANT` names, and the files beside it.

A package may have beside its code:

- `requirements.in`, the packages that only it needs, and `requirements.txt`, its lock, which
  `make lock` makes;
- `page.json`, the texts, prompts and tools of its page;
- `tests` and `evals`, which are not shipped.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.settings import ROOT

NOT_SHIPPED = ("tests", "evals")
LOCK = ROOT / "requirements" / "functions.txt"

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)", re.MULTILINE)


@dataclass(frozen=True)
class AssistantPackage:
    """`path` is the folder of the module, or of the package that it is in, or a single file."""

    module: str
    path: Path

    @property
    def folder(self) -> Path:
        """The folder that has the code."""
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def requirements(self) -> Path | None:
        """The lock of the packages that only the assistant needs, with hashes; None without one."""
        lock = self.path / "requirements.txt"
        return lock if lock.is_file() else None

    @property
    def own_packages(self) -> frozenset[str]:
        """The names of the packages in `requirements`."""
        return frozenset() if self.requirements is None else frozenset(_pins(self.requirements))

    @property
    def page(self) -> dict[str, Any]:
        """The assistant's part of the page's options; empty without a `page.json`.

        Raises `ValueError` when the file is no JSON object.
        """
        file = self.path / "page.json"
        if not file.is_file():
            return {}
        try:
            options = json.loads(file.read_text())
        except ValueError:
            options = None
        if not isinstance(options, dict):
            raise ValueError(f"{file.relative_to(ROOT)} is no JSON object")  # noqa: TRY004 - bad input
        return options

    @property
    def parents(self) -> list[Path]:
        """The `__init__.py` of each package that this one is in."""
        found = [folder / "__init__.py" for folder in self.path.parents if ROOT in folder.parents]
        return [file for file in found if file.is_file()]

    def check_requirements(self) -> None:
        """Raise `ValueError` when the assistant's lock contradicts that of the functions."""
        if self.requirements is None:
            return
        ours = _pins(LOCK)
        for name, version in _pins(self.requirements).items():
            if ours.get(name, version) != version:
                raise ValueError(
                    f"{self.requirements.relative_to(ROOT)} has {name} {version}, and "
                    f"requirements/functions.txt has {ours[name]}: run `make lock`"
                )


def assistant_package(module: str | None) -> AssistantPackage | None:
    """The package of the assistant in `module`.

    None for the starter, which is always shipped, and for a module that is not in this repository.
    """
    if module is None:
        return None
    parts = module.split(".")
    place = ROOT.joinpath(*parts)
    if all(part.isidentifier() for part in parts):
        if (place / "__init__.py").is_file():
            return AssistantPackage(module, place)
        file = place.with_suffix(".py")
        if file.is_file():
            return AssistantPackage(module, file if len(parts) == 1 else file.parent)
    return None


def _pins(lock: Path) -> dict[str, str]:
    names = ((found["name"], found["version"]) for found in _PINNED.finditer(lock.read_text()))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in names}
