"""Key parts: distinct names stay distinct, and every part fits a key."""

from hypothesis import given
from hypothesis import strategies as st

from functions.aws.keys import MAX_PART, part

NAMES = st.text(min_size=1, max_size=300)


@given(NAMES, NAMES)
def test_different_names_have_different_key_parts(first, second):
    assert (part(first) == part(second)) == (first == second)


@given(NAMES)
def test_a_key_part_contains_no_separator_and_fits_a_key(name):
    key_part = part(name)
    assert "#" not in key_part
    assert "/" not in key_part
    assert len(key_part.encode()) <= MAX_PART
