"""What Lambda calls: HTTP through Mangum, everything else as events.

One event loop for the life of the environment, so that what is kept between
requests (connections, for one) stays usable. Lifespan is off: Mangum would run it
around each request, and the app needs none to start.
"""

import asyncio
from typing import Any

from mangum import Mangum

from ..aws.bucket import Bucket
from ..settings import get_settings
from .app import create_app
from .events import Events

_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)

_http = Mangum(create_app(), lifespan="off")
_events = Events(Bucket(get_settings().attachments_bucket))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """An HTTP answer for a Function URL's request, a batch's failures for a stream's records.

    Raises for an event of no known kind: it is retried, and ends as a dead letter.
    """
    if "requestContext" in event and "Records" not in event:
        return dict(_http(event, context))
    return _loop.run_until_complete(_events.take(event))
