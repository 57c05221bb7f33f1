"""The Lambda handler of the changes function.

It imports neither the web framework nor the assistant. One event loop serves all invocations.
"""

import asyncio
from typing import Any

from .. import telemetry
from ..settings import get_settings
from .changes import Changes
from .takers import takers

telemetry.configure()
_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)

_changes = Changes(takers(get_settings()))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda calls it so
    """The failed records of a batch of the table's stream."""
    return _loop.run_until_complete(_changes.handle(event))
