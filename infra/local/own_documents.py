"""The documents of `make dev`: it indexes some unless the settings say otherwise.

The starter knows this project's own `docs/`, here and nowhere else: no bundle has them, and no
stage gets them.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from functions.knowledge.current import Index
from functions.settings import ROOT, Settings

DOCS = ROOT / "docs"


def with_documents(settings: Settings) -> Settings:
    """The settings, with documents unless they say whether there are any.

    There are none where the chat's provider has no embedding model by default, and none in a server
    other than moto, which may have no vectors.
    """
    if "knowledge" in settings.model_fields_set or settings.aws_endpoint_url is not None:
        return settings
    try:
        Index.of(settings)
    except ValueError:
        return settings
    os.environ["CHATKIT_KNOWLEDGE"] = "true"
    return Settings()


@contextlib.contextmanager
def docs_ingested(settings: Settings, port: str) -> Iterator[Callable[[], None]]:
    """Yields what puts `docs/` in, in the background, as `make ingest DIR=docs` does.

    Only what has changed since the last time is indexed. It does nothing for another assistant.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def ingest() -> None:
        if not settings.knowledge or settings.assistant is not None or not DOCS.is_dir():
            return
        command = [sys.executable, "-m", "infra.cli.command", "ingest", "--dir", str(DOCS), "--yes"]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=ROOT,
            env={**os.environ, "PORT": port},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        processes.append(process)
        code = process.wait()
        if code == 0:
            print("  Documents            docs/ is indexed: ask how to deploy\n", flush=True)
        elif code > 0:  # it was not ended with `make dev`
            print("make dev: docs/ was not indexed. `make ingest DIR=docs` says why.", flush=True)

    try:
        yield ingest
    finally:
        for process in processes:
            process.terminate()
            process.wait()
