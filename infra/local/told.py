"""Tells the commands how to reach AWS's API of the `make dev` or `make lambda` that is running."""

import contextlib
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from functions.knowledge.current import Index
from functions.settings import Settings
from infra.local.folder import INDEX_VARIABLE, file_of_port, write_privately


@contextlib.contextmanager
def commands_told(cloud: Mapping[str, str], settings: Settings, port: str) -> Iterator[None]:
    """Keep a file with the variables in `cloud`, and what `make ingest` has to know, while this is
    open.
    """
    file = file_of_port(port)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {**cloud, **_knowledge(settings)}
    write_privately(file, "".join(f"{name}={shlex.quote(told[name])}\n" for name in told))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _knowledge(settings: Settings) -> dict[str, str]:
    """Where vectors are, and which index the settings ask for."""
    if not settings.knowledge:
        return {}
    index = Index.of(settings)
    return {
        "CHATKIT_VECTOR_BUCKET": settings.vector_bucket,
        INDEX_VARIABLE: json.dumps(asdict(index)),
    }
