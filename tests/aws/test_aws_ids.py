"""Ids sort by the time they were made."""

import time
from itertools import pairwise

from functions.aws import ids


def test_ids_of_one_process_sort_by_time_even_when_the_clock_stands_still(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    made = [ids.new_id("message") for _ in range(100)]
    assert all(earlier < later for earlier, later in pairwise(made))
