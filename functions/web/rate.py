"""How often something may be done, counted in the memory of this process.

For what is too small to be counted in the table. A function has as many processes as it answers
requests at one time.
"""

import math
import time
from collections import Counter

WINDOW_SECONDS = 60


class Rate:
    """At most `each` times a minute for one key, and `total` times for all keys together."""

    def __init__(self, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._window = 0
        self._counts: Counter[str] = Counter()

    def spend(self, key: str) -> int | None:
        """Count one time. When that is over a limit, the seconds after which to try again."""
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window = window
            self._counts.clear()
        if self._counts[key] >= self._each or self._counts.total() >= self._total:
            return math.ceil((window + 1) * WINDOW_SECONDS - now)
        self._counts[key] += 1
        return None
