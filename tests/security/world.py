"""A person who has one of everything, and whom others may not see."""

import base64
import json
from collections.abc import Collection
from datetime import datetime
from secrets import token_hex
from typing import Any

import boto3
import httpx2
from botocore.config import Config
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    FileAttachment,
    InferenceOptions,
    StructuredInputFreeform,
    StructuredInputItem,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
)

from functions.aws.ids import new_id
from functions.aws.keys import digest, owner
from functions.context import RequestContext
from functions.services import Services
from functions.settings import get_aws_settings
from tests.assistants.sample.features.items import ITEMS, Item, card
from tests.support.speech import tone

NOW = datetime(2026, 1, 2, 3, 4, 5)


class World:
    """What one person has. `secret` is in all of their texts and files."""

    def __init__(self, http: httpx2.Client, services: Services) -> None:
        self.http = http
        self.secret = f"secret{token_hex(8)}"
        user = http.post("/chatkit/session", json={}).json()["user"]["id"]
        self.context = RequestContext(user_id=user)
        self.user = owner(self.context)
        self._services = services
        self._store = services.store
        self.owned: set[str] = {user, self.secret}

    async def own(self, needs: Collection[str] = ("attachment_id", "recording")) -> dict[str, str]:
        """New ids of theirs, of each kind. What is uploaded is made only where it is needed."""
        now = {"created_at": NOW}
        thread = ThreadMetadata(id=new_id("thread"), title=self.secret, **now)
        places = (thread.id, None) if "attachment_id" in needs else ()
        files = [await self._file(place) for place in places]
        mine = Item(title=self.secret)
        await self._services.documents(self.context).change(ITEMS, lambda _: [mine])
        await self._store.save_thread(thread, self.context)
        place = {"thread_id": thread.id, **now}
        text = self.secret
        items = [
            UserMessageItem(
                id=new_id("message"),
                content=[UserMessageTextContent(text=text)],
                attachments=files[:1],
                inference_options=InferenceOptions(),
                **place,
            ),
            AssistantMessageItem(
                id=new_id("message"), content=[AssistantMessageContent(text=text)], **place
            ),
            WidgetItem(id=new_id("message"), widget=card([mine]), **place),
            StructuredInputItem(
                id=new_id("message"),
                inputs=[StructuredInputFreeform(id="goal", question=text)],
                **place,
            ),
            ClientToolCallItem(
                id=new_id("tool_call"), call_id="call", name="switch_theme", arguments={}, **place
            ),
        ]
        for item in items:
            await self._store.add_thread_item(thread.id, item, self.context)
        ids = {
            "thread_id": thread.id,
            "item_id": items[0].id,
            "widget": items[2].id,
            "question": items[3].id,
            "run_id": token_hex(16),
            "entity": f"item_{mine.id}",
            "card": mine.id,
        }
        if files:
            ids |= {"sent_file": files[0].id, "attachment_id": files[1].id}
        if "recording" in needs:
            ids["recording"] = await self._recording()
        self.owned |= set(ids.values())
        return {**ids, "audio": base64.b64encode(tone()).decode()}

    async def runs(self, number: int) -> list[str]:
        """Ids of runs that they have stopped. A run can be claimed once by each person."""
        ids = [token_hex(16) for _ in range(number)]
        for run_id in ids:
            await self._services.runs.cancel(run_id, self.context)
        return ids

    async def _file(self, thread_id: str | None) -> FileAttachment:
        """A file: sent in a thread, or uploaded and not sent yet."""
        file = {"name": f"{self.secret}.txt", "size": 24, "mime_type": "text/plain"}
        made = self.http.post(
            "/chatkit", json={"type": "attachments.create", "params": file}
        ).json()
        put = made["upload_descriptor"]
        data = f"{self.secret} x".ljust(24).encode()
        assert httpx2.put(put["url"], content=data, headers=put["headers"]).status_code == 200
        return FileAttachment(
            id=made["id"], name=file["name"], mime_type="text/plain", thread_id=thread_id
        )

    async def _recording(self) -> str:
        data = tone()
        asked = {"mime_type": "audio/wav", "size": len(data)}
        made = self.http.post("/actions/uploads", json=asked).json()
        assert httpx2.put(made["url"], content=data, headers=made["headers"]).status_code == 200
        return made["key"]

    def everything(self) -> tuple[list[str], list[tuple[str, str]]]:
        """All rows and objects of theirs, to compare."""
        scanned = _patient("dynamodb").get_paginator("scan")
        rows = [
            json.dumps(row, sort_keys=True)
            for page in scanned.paginate(TableName=self._store.table.name)
            for row in page["Items"]
            if f"#{self.user}#" in f"{row['pk']['S']}#"
        ]
        listed = _patient("s3").get_paginator("list_objects_v2")
        objects = [
            (entry["Key"], entry["ETag"])
            for page in listed.paginate(Bucket=self._services.bucket.name)
            for entry in page.get("Contents", [])
            if digest(self.user) in entry["Key"]
        ]
        return sorted(rows), sorted(objects)


def _patient(service: str) -> Any:
    """A client that waits while moto reads a table with the traces of thousands of attempts."""
    endpoint = get_aws_settings().aws_endpoint_url
    config = Config(read_timeout=120)
    return boto3.client(service, "us-east-1", endpoint_url=endpoint, config=config)


def browser(url: str, headers: dict[str, str] | None = None) -> httpx2.Client:
    return httpx2.Client(base_url=url, timeout=30, headers=headers)
