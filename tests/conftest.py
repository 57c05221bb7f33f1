"""What all tests share: the process that they run in."""

import gc

import pytest


@pytest.fixture(scope="module", autouse=True)
def nothing_to_look_through():
    """Whatever the modules before left in this process for good: the collector took over a second
    to look through it at the end, in which no thread of a server ran.
    """
    gc.collect()
    gc.freeze()
