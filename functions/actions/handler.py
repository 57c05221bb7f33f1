"""What Lambda calls: HTTP through Mangum, everything else as events.

One event loop lives as long as the environment, so that connections stay usable from one request
to the next. Mangum's lifespan is off: it would run around each request, and the app needs none to
start.
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
    """The HTTP answer to a Function URL's request, or the failures of a batch of events.

    Raises for an event of an unknown kind: Lambda tries it again, and then it is a dead letter.
    """
    if "requestContext" in event and "Records" not in event:
        return dict(_http(event, context))
    return _loop.run_until_complete(_events.take(event))
