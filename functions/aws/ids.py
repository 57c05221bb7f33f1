"""Ids that sort by time: UUIDv7 behind the SDK's prefixes.

The SDK's default has 32 random bits, which collide after some 77,000 ids
(one chance in two); these have 62 and a clock. RFC 9562, section 5.7, with the
12 bits after the version used for the fraction of a millisecond (section 6.2).
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


def new_id(item_type: StoreItemType) -> str:
    """A new id such as `msg_0192f0c1…`, later than any this process made before."""
    global _last_tick  # noqa: PLW0603 - the one clock of this process
    ms, rest = divmod(time.time_ns(), 1_000_000)
    tick = max(ms * _TICKS_PER_MS + rest * _TICKS_PER_MS // 1_000_000, _last_tick + 1)
    _last_tick = tick
    ms, fraction = divmod(tick, _TICKS_PER_MS)
    value = ms << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62)
    return f"{PREFIXES[item_type]}_{value:032x}"
