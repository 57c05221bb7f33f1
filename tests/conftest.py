"""What all tests share: the process that they run in, and what the run makes once."""

import functools
import gc
import logging
import math
import signal
from pathlib import Path

import httpcore2
import pytest

from tests.support.log_watch import WATCH, found_in
from tests.support.shared import Shared

SHARED = pytest.StashKey[Shared]()

# A client without settings of its own reads the certificates of all authorities, which takes 20 ms.
# A run makes thousands of clients, and none of them uses TLS.
httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)


def pytest_configure(config):
    logging.getLogger().addHandler(WATCH)
    of_the_run = getattr(config, "workerinput", {}).get("shared")
    config.stash[SHARED] = Shared(Path(of_the_run)) if of_the_run else Shared()
    if not of_the_run:  # a run that is terminated ends what it started, too
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker of pytest-xdist where to find what the run has made."""
    node.workerinput["shared"] = str(node.config.stash[SHARED].folder)


def pytest_sessionfinish(session):
    """Search what the servers of the run have printed, too."""
    if hasattr(session.config, "workerinput"):
        return
    for file in session.config.stash[SHARED].folder.glob("*.txt"):
        for name in found_in(file.read_text(errors="replace")):
            print(f"\n{file.stem} printed {name}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        config.stash[SHARED].end()


SLOW = ("e2e", "store", "infra", "lambda_stream", "library")


def pytest_collection_modifyitems(items):
    """Sort the files of slow folders to the front, one of each folder in turn.

    While a worker waits for a browser, the other computes. At the end of the run, no worker waits
    for a long file of the other.
    """
    numbers = {folder: {} for folder in SLOW}

    def place(item):
        tests = Path(__file__).parent
        folder = item.path.relative_to(tests).parts[0] if tests in item.path.parents else None
        if folder not in SLOW:
            return math.inf, 0
        number = numbers[folder].setdefault(item.path, len(numbers[folder]))
        return number, SLOW.index(folder)

    items.sort(key=place)


@pytest.fixture(scope="session")
def shared(pytestconfig):
    """`shared.once(name, make)` makes a thing once for all workers."""
    return pytestconfig.stash[SHARED]


@pytest.fixture(autouse=True)
def watched_log():
    """No test makes the product log a secret, a token, or what somebody wrote."""
    yield
    assert WATCH.take() == []


@pytest.fixture(scope="module", autouse=True)
def frozen_garbage():
    """Freeze what earlier modules left in this process for good.

    At the end of a run the garbage collector took more than a second to go through it, and in
    that second no server thread ran.
    """
    gc.collect()
    gc.freeze()
