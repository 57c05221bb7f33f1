"""Counts of times in buckets, from which percentiles are read.

Bucket `i` has the times from `10 * 1.2**i` ms up to the next bucket's. A percentile is given as the
geometric middle of its bucket, so it is at most 9.6 % off (the square root of 1.2). Times below
10 ms count as 10 ms, and times over 15 minutes, which no answer takes, as the last bucket's.
"""

from bisect import bisect_right
from collections.abc import Mapping
from math import ceil, sqrt
from typing import Final

FIRST_MS: Final = 10.0
RATIO: Final = 1.2
BUCKETS: Final = 64

_BOUNDS: Final = [FIRST_MS * RATIO**number for number in range(BUCKETS)]


def bucket(ms: float) -> int:
    """The number of the bucket of a time, from 0 to `BUCKETS` - 1."""
    return max(bisect_right(_BOUNDS, ms) - 1, 0)


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The time (ms) that `share` of all times are not longer than; `None` without any times.

    `counts` are the numbers of times by bucket, and `share` is such as 0.9.
    """
    rank = ceil(sum(counts.values()) * share)
    for number in sorted(counts):
        rank -= counts[number]
        if rank <= 0 and counts[number] > 0:
            return round(_BOUNDS[number] * sqrt(RATIO))
    return None
