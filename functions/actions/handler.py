"""The Lambda handler: passes HTTP requests to Mangum.

One event loop serves all invocations, so that open connections can be reused. Mangum's lifespan is
off, because Mangum would run it around each request, and the app does not need it.
"""

import asyncio

from mangum import Mangum

from ..settings import get_settings
from .app import create_app

_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)

handler = Mangum(create_app(get_settings()), lifespan="off")
"""Answers a Function URL's request. Raises `RuntimeError` for any other event."""
