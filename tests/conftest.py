"""What all tests share: the process that they run in, and what the run makes once."""

import gc
import signal
from pathlib import Path

import pytest

from tests.support.shared import Shared

SHARED = pytest.StashKey[Shared]()


def pytest_configure(config):
    of_the_run = getattr(config, "workerinput", {}).get("shared")
    config.stash[SHARED] = Shared(Path(of_the_run)) if of_the_run else Shared()
    if not of_the_run:  # a run that is terminated ends what it started, too
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker of pytest-xdist where to find what the run has made."""
    node.workerinput["shared"] = str(node.config.stash[SHARED].folder)


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        config.stash[SHARED].end()


SLOWEST_FIRST = ("tests/e2e/", "tests/store/", "tests/infra/")
"""So that at the end of a run no worker waits for the other's long file."""


def pytest_collection_modifyitems(items):
    items.sort(
        key=lambda item: next(
            (rank for rank, folder in enumerate(SLOWEST_FIRST) if item.nodeid.startswith(folder)),
            len(SLOWEST_FIRST),
        )
    )


@pytest.fixture(scope="session")
def shared(pytestconfig):
    """`shared.once(name, make)` makes a thing once for all workers."""
    return pytestconfig.stash[SHARED]


@pytest.fixture(scope="module", autouse=True)
def frozen_garbage():
    """Freeze what earlier modules left in this process for good.

    At the end of a run the garbage collector took more than a second to go through it, and in
    that second no server thread ran.
    """
    gc.collect()
    gc.freeze()
