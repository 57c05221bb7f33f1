"""An environment that holds the wheel, and the README's files beside it."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from infra.bundling.bytecode import uv

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SNIPPET = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(*command: object, **environment: str) -> str:
    """What a command prints; a failure shows what it complained about."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Installation:
    python: Path
    packages: Path
    """Its site-packages, which also holds a package called `functions`."""
    task: Path
    """The programs: those of the README and of docs/library.md, and those of these tests."""

    @classmethod
    def of(cls, wheel: Path, folder: Path, resolution: str) -> "Installation":
        """Install the wheel into an empty environment."""
        run(uv(), "venv", "--quiet", "--python", sys.executable, folder / "env")
        python = folder / "env" / "bin" / "python"
        # uv takes the lowest version only of what is asked for directly, hence pyproject.toml.
        servers = ["fastapi>=0.165", "uvicorn>=0.54"]
        wanted = [wheel, "--requirement", ROOT / "pyproject.toml", *servers]
        pip = [uv(), "pip", "install", "--quiet", "--python", python]
        run(*pip, "--resolution", resolution, *wanted)
        packages = next((folder / "env" / "lib").glob("python*/site-packages"))
        (packages / "functions").mkdir()
        (packages / "functions" / "__init__.py").write_text('BELONGS_TO = "somebody else"\n')
        task = folder / "task"
        task.mkdir()
        own = f"my-{uuid4().hex}-"  # a table and a bucket that no other installation has
        pages = (ROOT / "README.md").read_text() + (ROOT / "docs" / "library.md").read_text()
        for name, source in SNIPPET.findall(pages):
            (task / name).write_text(source.replace("my-", own))
        for name in ("gated.py", "leaving.py", "program.py"):
            (task / name).write_text((HERE / name).read_text())
        return cls(python, packages, task)

    def program(self, aws: dict[str, str], name: str = "program.py") -> dict[str, Any]:
        """What a program saw."""
        return json.loads(run(self.python, self.task / name, **aws))
