"""`make new-assistant NAME=acme`: lays out an assistant of one's own, with its page and tests.

It begins as a copy of `examples/minimal`, under the new name.
"""

import importlib.util
import re
import sys
from pathlib import Path

from functions.settings import ROOT

TEMPLATE = ROOT / "examples" / "minimal"
COPIED = frozenset({".py", ".md", ".json", ".toml"})


class NewAssistantError(Exception):
    """Why there is no new assistant, for the person who asked for it."""


def lay_out(name: str, root: Path = ROOT) -> Path:
    """Make the folder `name` with an assistant, and return it. Raises `NewAssistantError`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise NewAssistantError(f"NAME={name} is no name of a package, such as acme or our_shop.")
    folder = root / name
    if folder.exists():
        raise NewAssistantError(f"{name}/ exists already.")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise NewAssistantError(f"There is a package named {name} already: choose another name.")
    new = {
        "examples.minimal": name,
        "examples/minimal": name,
        "minimal": name,
        "Minimal": "".join(part.capitalize() for part in name.split("_")),
        "../../": "../",  # links of the README: the template is one folder deeper
    }
    old = re.compile("|".join(map(re.escape, new)))
    for path in sorted(TEMPLATE.rglob("*")):
        if path.suffix not in COPIED or "__pycache__" in path.parts:
            continue
        place = folder / path.relative_to(TEMPLATE).as_posix().replace("minimal", name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(old.sub(lambda found: new[found[0]], path.read_text()))
    return folder


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if not name:
        sys.exit("make new-assistant: say how it is called, such as NAME=acme.")
    try:
        folder = lay_out(name)
    except NewAssistantError as error:
        sys.exit(f"make new-assistant: {error}")
    print(f"{folder.relative_to(ROOT)}/ is laid out. Try it:  make dev ASSISTANT={name}")
    print(f"Its tests:  make test ARGS={name}")
    print(f'In AWS:  "assistant": "{name}" under "chatkit" in cdk.json, or -c assistant={name}')


if __name__ == "__main__":
    main()
