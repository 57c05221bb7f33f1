"""A user with threads, widgets and data, who presses buttons over HTTP."""

import json
from datetime import datetime

from chatkit.types import ActiveStatus, ThreadMetadata, WidgetItem

from functions.context import RequestContext
from functions.settings import get_settings
from functions.store import DynamoDBStore, Records
from functions.toolkit import Documents
from functions.web.identity.anonymous import BEARER, new_user

KEY = "k" * 32
"""The key that signs tokens in these tests."""


class Person:
    """A new user. The methods store what the user has and send what the user does."""

    def __init__(self, http):
        settings = get_settings()
        store = DynamoDBStore(settings.table, bucket=settings.attachments_bucket)
        self.user = new_user([KEY], BEARER)
        self.context = RequestContext(user_id=self.user.id)
        self.store = store
        self.http = http
        self.documents = Documents(Records(store.table), self.context)
        self.headers = {"x-chatkit-authorization": f"Bearer {self.user.token}"}

    async def thread(self, status=None):
        thread = ThreadMetadata(
            id=self.store.generate_thread_id(self.context),
            created_at=datetime.now(),  # noqa: DTZ005
            status=status or ActiveStatus(),
        )
        await self.store.save_thread(thread, self.context)
        return thread

    async def shown(self, thread, widget):
        """A widget item in `thread`."""
        item = WidgetItem(
            id=self.store.generate_item_id("message", thread, self.context),
            thread_id=thread.id,
            created_at=datetime.now(),  # noqa: DTZ005
            widget=widget,
        )
        await self.store.add_thread_item(thread.id, item, self.context)
        return item

    async def stored(self, item):
        return await self.store.load_item(item.thread_id, item.id, self.context)

    async def press(self, item, kind, payload, *, sync=True, **headers):
        return await self.post("/actions", request(item, kind, payload, sync=sync), **headers)

    async def post(self, path, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(
            path,
            content=content,
            headers={"content-type": "application/json", **self.headers, **headers},
        )


def request(item, kind, payload, *, sync=True, thread_id=None, item_id=None):
    return {
        "type": "threads.sync_custom_action" if sync else "threads.custom_action",
        "params": {
            "thread_id": thread_id or item.thread_id,
            "item_id": item_id or item.id,
            "action": {"type": kind, "payload": payload},
        },
    }
