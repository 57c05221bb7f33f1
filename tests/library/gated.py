"""The README's app, with a second message that waits until the caller has read the first."""

import asyncio
import os

import app as readme


class Server(readme.Server):
    async def respond(self, thread, input_user_message, context):
        async for event in super().respond(thread, input_user_message, context):
            yield event
        reader, _ = await asyncio.open_connection("127.0.0.1", int(os.environ["GATE_PORT"]))
        await reader.read()  # ends when the test closes the connection
        async for event in super().respond(thread, input_user_message, context):
            yield event


readme.server = Server(readme.server.store, readme.server.attachment_store)
app = readme.app
