"""`make lambda`: the whole product from its built bundles, as Lambda would run it.

One address (`HOST`, `PORT`; 127.0.0.1:8001 by default) serves the page, the streaming function
at `/chatkit` and the second function at `/actions`. The events function gets the events of
the table and of the bucket, the changes function those of the table too, and the ingest function
those of documents. Each function has one
process for each simultaneous invocation, frozen while it is idle. moto stands in for AWS.
"""

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from functools import partial

from functions.settings import ROOT, get_settings
from infra.emulator.edge import Edge
from infra.emulator.events import deliver
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.project import configurations, description
from infra.emulator.server import Server
from infra.local.__main__ import address_of, how_to_sign_in, settings_or_stop, sign_in
from infra.local.cloud import local_cloud
from infra.local.events import Take, events_delivered
from infra.local.told import commands_told
from infra.stack.page_config import page_config


async def serve(cloud: dict[str, str], host: str, port: str) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    functions = configurations(cloud)
    config = json.dumps(page_config(get_settings())).encode()
    async with AsyncExitStack() as stack:
        origins = {
            "/chatkit": FunctionUrl(
                await stack.enter_async_context(Function(functions.chat, echo=True)), streaming=True
            ),
            "/actions": FunctionUrl(
                await stack.enter_async_context(Function(functions.actions, echo=True)),
                streaming=False,
            ),
        }
        events = await stack.enter_async_context(Function(functions.events, echo=True))
        changes = await stack.enter_async_context(Function(functions.changes, echo=True))
        read: Take | None = None
        if functions.ingest:
            ingest = await stack.enter_async_context(Function(functions.ingest, echo=True))
            read = partial(deliver, ingest)
        await stack.enter_async_context(
            events_delivered(
                partial(deliver, events),
                read,
                partial(deliver, changes),
                table=cloud["CHATKIT_TABLE"],
                bucket=cloud["CHATKIT_ATTACHMENTS_BUCKET"],
            )
        )
        edge = Edge(origins, ROOT / "frontend" / "dist", {"/config.json": config})
        server = await stack.enter_async_context(Server(edge.answer, host=host, port=int(port)))
        sys.stdout.write(f"\n  {server.url}   from the bundles, on an emulated Lambda\n")
        sys.stdout.write(f"  {description()}\n")
        if people := how_to_sign_in(port):
            sys.stdout.write(f"  Sign in as {people}\n")
        sys.stdout.write("  Ctrl-C ends it.\n\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    host, port = address_of("8001", "make lambda")
    with (
        sign_in(host, port, "make lambda"),
        local_cloud(settings := settings_or_stop(), page_port=port) as cloud,
        commands_told(cloud, settings, port),
    ):
        asyncio.run(serve(cloud, host, port))


if __name__ == "__main__":
    main()
