"""Keys: distinct names stay distinct, moments sort by time wherever the clock is set."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.aws import ids
from functions.store import keys

NAMES = st.text(min_size=1, max_size=300)


@given(NAMES, NAMES)
def test_two_names_share_a_part_only_when_they_are_one_name(first, second):
    assert (keys.part(first) == keys.part(second)) == (first == second)


@given(NAMES)
def test_a_part_separates_nothing_and_fits_a_key(name):
    part = keys.part(name)
    assert "#" not in part
    assert "/" not in part
    assert len(part.encode()) <= keys.MAX_PART


def test_the_longest_keys_are_within_dynamodbs_limits():
    longest = "é" * 5000
    row = keys.item_key(keys.part(longest), longest, longest)
    assert len(row["pk"]["S"].encode()) <= 2048
    assert len(row["sk"]["S"].encode()) <= 1024
    assert len(keys.position(keys.stamp(datetime.now(UTC)), longest).encode()) <= 1024


@given(st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-9))])))
def test_every_moment_has_a_stamp_of_one_length(moment):
    assert len(keys.stamp(moment)) == len("2026-01-02T12:00:00.000000Z")


@pytest.fixture
def new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_naive_moment_is_local_time(new_york):
    naive = datetime(2026, 1, 2, 12, 0, 0)
    assert keys.stamp(naive) == "2026-01-02T17:00:00.000000Z"
    assert keys.stamp(naive) == keys.stamp(datetime(2026, 1, 2, 17, 0, 0, tzinfo=UTC))


@given(st.datetimes(), NAMES)
def test_a_cursor_gives_its_position_back(moment, thread_id):
    position = keys.position(keys.stamp(moment), thread_id)
    assert keys.read_cursor(keys.cursor(position, thread_id)) == position


def test_ids_of_one_process_sort_by_time_even_when_the_clock_stands_still(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    made = [ids.new_id("message") for _ in range(100)]
    assert all(earlier < later for earlier, later in pairwise(made))


@pytest.mark.parametrize("module", ["functions.store", "functions.attachments"])
def test_either_package_can_be_imported_first_and_without_a_model_sdk(module):
    """The second function must not pay for the Agents SDK at its cold start."""
    code = f"import sys, {module}; sys.exit('agents' in sys.modules or 'openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
