"""Ids that sort by time: UUIDv7 behind the SDK's prefixes.

The SDK's default ids have 32 random bits: among some 77,000 of them, two are equal with a chance of
one in two. These have 62 random bits and the time. See RFC 9562, section 5.7; the 12 bits after the
version hold the fraction of a millisecond (section 6.2).
"""

import secrets
import time
from typing import Final

from chatkit.store import StoreItemType

PREFIXES: Final[dict[StoreItemType, str]] = {
    "thread": "thr",
    "message": "msg",
    "tool_call": "tc",
    "workflow": "wf",
    "task": "tsk",
    "attachment": "atc",
    "sdk_hidden_context": "shcx",
}

_TICKS_PER_MS: Final = 4096
_last_tick = 0


def tick() -> int:
    """The time since 1970 in 1/4096 ms, and greater than all ticks of this process before."""
    global _last_tick  # noqa: PLW0603 - one clock for the process
    ms, rest = divmod(time.time_ns(), 1_000_000)
    _last_tick = max(ms * _TICKS_PER_MS + rest * _TICKS_PER_MS // 1_000_000, _last_tick + 1)
    return _last_tick


def new_id(item_type: StoreItemType) -> str:
    """A new id such as `msg_0192f0c1…`. It sorts after all ids that this process made before."""
    ms, fraction = divmod(tick(), _TICKS_PER_MS)
    value = ms << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62)
    return f"{PREFIXES[item_type]}_{value:032x}"
