"""The Lambda handler: passes HTTP requests to Mangum and all other events to `Events`.

One event loop serves all invocations, so that open connections can be reused. Mangum's lifespan is
off, because Mangum would run it around each request, and the app does not need it.
"""

import asyncio
from typing import Any

from mangum import Mangum

from ..services import Services
from ..settings import get_settings
from .app import create_app
from .events import Events

_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)

_services = Services.of(get_settings())
_http = Mangum(create_app(services=_services), lifespan="off")
_events = Events(_services.store, _services.bucket)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """The HTTP response to a Function URL's request, or the failed records of an event.

    Raises for an event of an unknown kind. Lambda retries the event and then sends it to the
    dead-letter queue.
    """
    if "requestContext" in event and "Records" not in event:
        return dict(_http(event, context))
    return _loop.run_until_complete(_events.handle(event))
