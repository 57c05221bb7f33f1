"""The second function in front of moto: its app, its handler, and the person who asks."""

import json
from datetime import datetime

import httpx2
import pytest
from chatkit.types import ActiveStatus, ThreadMetadata, WidgetItem

from functions.actions.app import create_app
from functions.assistant.data import AssistantData
from functions.context import RequestContext
from functions.identity.anonymous import new_user
from functions.settings import Settings, get_settings
from functions.store import DynamoDBStore
from functions.store.records import Records
from infra.local.cloud import local_cloud

KEY = "k" * 32


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """moto with the table and the bucket; the environment points there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL"):
            patch.delenv(name, raising=False)
        # So that what local_cloud sets is put back as well.
        for name in (
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
        ):
            patch.setenv(name, "")
        patch.setenv("CHATKIT_COOKIE_KEY", KEY)
        patch.setenv("CHATKIT_TABLE", "actions-tests")
        patch.setenv("CHATKIT_ATTACHMENTS_BUCKET", "actions-tests")
        get_settings.cache_clear()
        with local_cloud(Settings(_env_file=None)):
            yield
    get_settings.cache_clear()


@pytest.fixture
def settings(cloud):
    return Settings(_env_file=None)


class Person:
    """Somebody with a thread, and what they send."""

    def __init__(self, http):
        store = DynamoDBStore("actions-tests", bucket="actions-tests")
        self.user = new_user(KEY)
        self.context = RequestContext(user_id=self.user.id)
        self.store = store
        self.http = http
        self.data = AssistantData(Records(store.table.name), self.context)
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


@pytest.fixture
async def http(settings):
    app = create_app(settings)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def people(http):
    """`people()` is somebody new."""
    return lambda: Person(http)


@pytest.fixture
def ada(people):
    return people()
