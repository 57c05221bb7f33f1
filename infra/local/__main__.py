"""`make dev`: the whole product on this machine, with moto in place of AWS.

moto with its table runs in this process. The apps run in a child process of uvicorn's, which
is started again when code under `functions/` is saved. `infra.local.folder` says where
conversations, files and the key for cookies are kept.
"""

import argparse
import contextlib
import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import uvicorn
from pydantic import ValidationError

from functions.errors import first_problem
from functions.llm import HOW_TO_GET_A_REAL_ONE, choose
from functions.settings import ROOT, Settings
from functions.web.identity import identity_of
from infra.assistant_package import assistant_package
from infra.local.address import EVERY_ADDRESS, MAX_PORT, address_in_the_network, url_of
from infra.local.cloud import CloudError, local_cloud
from infra.local.demo_issuer import DemoIssuerError, demo_issuer, issuer_of
from infra.local.folder import (
    FolderInUseError,
    cookie_key,
    file_of_port,
    folder_of_port,
    local_folder,
    locked,
    shown,
)
from infra.local.log_file import LOG_VARIABLE
from infra.local.own_documents import docs_ingested, with_documents
from infra.local.own_packages import PackagesError, use_own_packages
from infra.local.setup import BIN, node_folder
from infra.local.told import commands_told

START_TIMEOUT = 60.0


def main() -> None:
    arguments = argparse.ArgumentParser(prog="make dev")
    arguments.add_argument("--page", action="store_true", help="with Vite's dev server")
    with_vite = arguments.parse_args().page
    host, port = address_of("8000")
    for ending in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
        signal.signal(ending, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        _own_folder(port) as folder,
        sign_in(host, port),
        _cloud(settings := with_documents(settings_or_stop(folder)), folder, port),
        docs_ingested(settings, port) as ingest_docs,
    ):
        _own_packages(settings)
        address = url_of(host, port)
        with _vite(address) if with_vite else contextlib.nullcontext(address) as page:
            threading.Thread(
                target=_announce, args=(address, page, host, settings, ingest_docs), daemon=True
            ).start()
            uvicorn.run(
                "infra.local.app:create_dev_app",
                factory=True,
                host=host,
                port=int(port),
                reload=True,
                reload_dirs=_code_of(settings),
                reload_includes=["*.py", "*.widget"],
                timeout_graceful_shutdown=3,
                log_level="warning",
            )


def _code_of(settings: Settings) -> list[str]:
    """The folders whose files start the apps again when they are saved."""
    package = assistant_package(settings.assistant)
    folders = [ROOT / "functions", *([package.folder] if package else [])]
    return [str(folder) for folder in folders]


def _yours(settings: Settings) -> str:
    """Where the assistant's code is, for the person who edits it."""
    if settings.assistant is None:
        return "functions/assistant/ (reloads on save)"
    package = assistant_package(settings.assistant)
    if package is None:
        return f"the module {settings.assistant}"
    return f"{package.folder.relative_to(ROOT)}/ (reloads on save)"


def settings_or_stop(folder: Path | None = None) -> Settings:
    """The settings. Ends this process with one line when one of them is wrong.

    Cookies are signed with the configured key, or with the one in `folder`, or with a new one.
    """
    try:
        settings = Settings()
        if settings.cookie_key is None and settings.cookie_key_secret is None:
            key = cookie_key(folder) if folder else secrets.token_hex(32)
            os.environ["CHATKIT_COOKIE_KEY"] = key
            settings = Settings()
        choose(settings)
        identity_of(settings)
    except ValidationError as error:
        problems = error.errors()
        field = str(problems[0]["loc"][0])
        prefix = f"CHATKIT_{field.upper()}: " if field.islower() else f"{field}: "
        stop(f".env or environment: {prefix}{first_problem(problems, skip=1)}")
    except ValueError as error:
        stop(f".env or environment: {error}")
    return settings


def _own_packages(settings: Settings) -> None:
    try:
        use_own_packages(settings.assistant)
    except (PackagesError, ValueError) as error:
        stop(str(error))


def address_of(default_port: str, name: str = "make dev") -> tuple[str, str]:
    """Where to listen (`HOST`, `PORT`). Ends this process with one line when that is impossible."""
    host = os.environ.get("HOST") or "127.0.0.1"
    port = os.environ.get("PORT") or default_port
    if not port.isdigit() or not 1 <= int(port) <= MAX_PORT:
        stop(f"PORT={port} is not a number from 1 to {MAX_PORT}.", name)
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port)))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            stop(f"Port {port} is taken. Choose another one: PORT={int(port) + 1} {name}", name)
        if error.errno == errno.EACCES:
            stop(f"Port {port} is not allowed. Choose one from 1024: PORT=8000 {name}", name)
        stop(f"HOST={host} is not an address of this machine.", name)
    return host, port


@contextlib.contextmanager
def _own_folder(port: str) -> Iterator[Path]:
    """The folder that this run has for itself: `.local/`, or another one while that is in use."""
    with contextlib.ExitStack() as stack:
        folder = local_folder()
        try:
            stack.enter_context(locked(folder))
        except FolderInUseError:
            folder = folder_of_port(port)
            print(f"make dev: another make dev uses {shown(local_folder())}.")
            print(f"make dev: This one keeps its conversations in {shown(folder)}.", flush=True)
            try:
                stack.enter_context(locked(folder))
            except FolderInUseError:
                stop(f"another make dev uses {shown(folder)} too. Choose another PORT.")
        except OSError as error:
            stop(f"nothing can be kept in {shown(folder)}: {error.strerror}.")
        yield folder


@contextlib.contextmanager
def sign_in(host: str, port: str, name: str = "make dev") -> Iterator[None]:
    """The issuer that `SIGN_IN` asks for. Ends this process with one line when there is none."""
    wanted = os.environ.get("SIGN_IN")
    if not wanted:
        yield
        return
    if wanted != "demo":
        stop(f"SIGN_IN={wanted} is not known: it can be demo.", name)
    try:
        with demo_issuer(host, port):
            yield
    except DemoIssuerError as error:
        stop(str(error), name)


def how_to_sign_in(port: str) -> str | None:
    """What to print about it."""
    if not os.environ.get("SIGN_IN"):
        return None
    people = "Ada Lovelace (staff), Alan Turing or Grace Hopper (admin)"
    return f"{people}, at {issuer_of(port)}"


@contextlib.contextmanager
def _cloud(settings: Settings, folder: Path, port: str) -> Iterator[None]:
    """The table and the bucket, and a file that says how to reach them."""
    try:
        with local_cloud(settings, keep_in=folder / "state.sqlite3") as cloud:
            os.environ[LOG_VARIABLE] = str(folder / "log")
            told = {**cloud, LOG_VARIABLE: os.environ[LOG_VARIABLE]}
            with commands_told(told, settings, port):
                yield
    except CloudError as error:
        stop(str(error))


def _announce(
    address: str, page: str, host: str, settings: Settings, then: Callable[[], None]
) -> None:
    """Wait until the server answers, print its address and its model, and do what comes `then`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            with direct.open(f"{address}/chatkit/health", timeout=2):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    choice = choose(settings)
    port = address.rpartition(":")[2]
    print(f"\n  ChatKit Serverless   {page}")
    if host in EVERY_ADDRESS:
        others = url_of(address_in_the_network(), port)
        print(f"  From other devices   {others}")
    print(f"  Model                {choice.label}")
    if choice.provider == "demo":
        print(f"  A real one           {HOW_TO_GET_A_REAL_ONE}")
    if people := how_to_sign_in(port):
        print(f"  Sign in as           {people}")
    print(
        f"  AWS's API            {os.environ['AWS_ENDPOINT_URL']} (its key: {file_of_port(port)})"
    )
    print(f"  Yours to edit        {_yours(settings)}")
    print("  Ctrl-C ends it.\n", flush=True)
    then()


@contextlib.contextmanager
def _vite(address: str) -> Iterator[str]:
    """Vite's dev server in front of the same backend. Yields the page's address."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([node_folder(), BIN, os.environ.get("PATH", "")]),
        "CHATKIT_BACKEND": address,
    }
    command = ["npm", "run", "--silent", "dev"]
    process = subprocess.Popen(  # noqa: S603 - our own script
        command, cwd=ROOT / "frontend", env=environment, start_new_session=True
    )
    try:
        yield "http://localhost:5173 (hot reload)"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def stop(why: str, name: str = "make dev") -> NoReturn:
    print(f"{name}: {why}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
