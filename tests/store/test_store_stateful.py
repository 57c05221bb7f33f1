"""A state machine compares the store with a model in memory, and injects faults."""

import asyncio
from datetime import timedelta
from itertools import count
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment, LockedStatus
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from functions.attachments import create_bucket
from functions.context import RequestContext
from functions.store import DynamoDBStore, MemoryStore, bodies, create_table, keys
from tests.store.samples import NOON, as_before, message, thread
from tests.store.test_store_sizes import noise
from tests.support.dynamodb_local import engine

USER_IDS = ["ada", "ada#T#t1"]
THREAD_IDS = ["t1", "T/2 😀"]
ITEM_IDS = ["i1", "__fake_id__", "i#3", "😀", "x" * 2000, "i6", "i7"]
USERS = st.sampled_from(USER_IDS)
THREADS = st.sampled_from([*THREAD_IDS, *THREAD_IDS, *THREAD_IDS, "t" * 300])
ITEMS = st.sampled_from(ITEM_IDS)
MOMENTS = st.sampled_from([NOON, NOON, NOON + timedelta(seconds=1), NOON - timedelta(days=1)])
LIMITS = st.integers(1, 8)
LETTERS = "ab"
ORDERS = st.sampled_from(["asc", "desc"])


class Fault:
    """Fails the n-th request from now on, before or after the table or the bucket handles it."""

    def __init__(self) -> None:
        self.countdown: int | None = None
        self.late = False
        self.struck = False

    def before(self, **_) -> None:
        if not self.late:
            self.strike()

    def after(self, **_) -> None:
        if self.late:
            self.strike()

    def strike(self) -> None:
        if self.countdown is None:
            return
        self.countdown -= 1
        if self.countdown < 0:
            self.countdown = None
            self.struck = True
            raise EndpointConnectionError(endpoint_url="injected")


class StoreBesideModel(RuleBasedStateMachine):
    engine = "dynamodb"

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.patch = pytest.MonkeyPatch()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self.patch.setenv(name, "test")
        # Small limits, so that short bodies are stored in all three places.
        self.patch.setattr(bodies, "PLAIN_BYTES", 400)
        self.patch.setattr(bodies, "ROW_BYTES", 380)
        self.mock = mock_aws()
        self.mock.start()
        self.client, self.s3 = self.clients()
        self.dynamodb = self.client
        self.table = f"t-{uuid4().hex}"
        create_table(self.client, self.table)
        create_bucket(self.s3, self.table)
        self.store = DynamoDBStore(
            self.table, client=self.client, bucket=self.table, s3_client=self.s3
        )
        self.fault = Fault()
        for client in (self.client, self.s3):
            client.meta.events.register("before-send", self.fault.before)
            client.meta.events.register("after-call", self.fault.after)
        self.threads: dict[tuple[str, str], dict] = {}
        self.items: dict[tuple[str, str], dict[str, tuple[tuple, object]]] = {}
        """Each with its place: its time, and then the number of its first write."""
        self.attachments: dict[tuple[str, str], object] = {}
        self.activity: dict[tuple[str, str], tuple] = {}
        """The position of a thread in the model: its creation, or the number of its last write."""
        self.writes = count()

    def clients(self):
        """Clients without retries, so that an injected fault is raised; one for each engine."""
        for service in ("dynamodb", "s3"):
            if service not in CLIENTS:
                CLIENTS[service] = boto3.client(
                    service,
                    region_name="us-east-1",
                    config=Config(retries={"total_max_attempts": 1}),
                )
        return CLIENTS[self.engine], CLIENTS["s3"]

    def teardown(self) -> None:
        for client in (self.client, self.s3):
            client.meta.events.unregister("before-send", self.fault.before)
            client.meta.events.unregister("after-call", self.fault.after)
        self.client.delete_table(TableName=self.table)
        self.mock.stop()
        self.patch.undo()
        self.loop.close()

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    def attempt(self, make):
        """Run a write. If the injected fault is raised, run it again, as a user would."""
        try:
            return self.run(make())
        except (ClientError, EndpointConnectionError):
            assert self.fault.struck
            self.fault.struck = False
            return self.run(make())

    @initialize()
    def begin_with_threads_that_hold_something(self):
        for user in USER_IDS:
            for number, thread_id in enumerate(THREAD_IDS):
                self.create_thread(user, thread_id, NOON)
                for item_id in ITEM_IDS[number:6:2]:
                    self.save_item(user, thread_id, item_id, NOON, user)

    @rule(requests=st.integers(0, 3), late=st.booleans())
    def break_a_request_soon(self, requests, late):
        self.fault.countdown = requests
        self.fault.late = late

    @rule(user=USERS, thread_id=THREADS, moment=MOMENTS)
    def create_thread(self, user, thread_id, moment):
        if (user, thread_id) in self.threads:
            return
        new = thread(thread_id, created_at=moment)
        self.attempt(lambda: self.store.save_thread(new.model_copy(), context(user)))
        self.threads[user, thread_id] = new.model_dump()
        self.activity[user, thread_id] = (0, keys.position(keys.stamp(moment), thread_id))
        self.items[user, thread_id] = {}

    @rule(user=USERS, thread_id=THREADS, field=st.sampled_from(["title", "status", "metadata"]))
    def change_thread(self, user, thread_id, field):
        """Two instances of a thread are loaded and changed: both changes are kept."""
        if (user, thread_id) not in self.threads:
            return
        first = self.attempt(lambda: self.store.load_thread(thread_id, context(user)))
        second = self.attempt(lambda: self.store.load_thread(thread_id, context(user)))
        setattr(first, field, {"title": "x", "status": LockedStatus(), "metadata": {"a": 1}}[field])
        self.attempt(lambda: self.store.save_thread(first, context(user)))
        second.allowed_image_domains = ["example.com"]
        self.attempt(lambda: self.store.save_thread(second, context(user)))
        model = self.threads[user, thread_id]
        changed = first.model_dump()[field]
        model[field] = {**model["metadata"], **changed} if field == "metadata" else changed
        model["allowed_image_domains"] = ["example.com"]

    @rule(user=USERS, thread_id=THREADS, really=st.integers(0, 3))
    def delete_thread(self, user, thread_id, really):
        """Only sometimes, because with as many deletions as creations there is mostly nothing."""
        if really:
            return
        self.attempt(lambda: self.store.delete_thread(thread_id, context(user)))
        self.threads.pop((user, thread_id), None)
        self.items.pop((user, thread_id), None)

    @rule(
        user=USERS,
        thread_id=THREADS,
        item_id=ITEMS,
        moment=MOMENTS,
        text=st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
        | st.sampled_from([LETTERS * 40, noise(300), noise(300), noise(301)]),
    )
    def save_item(self, user, thread_id, item_id, moment, text):
        item = message(item_id, text, thread_id=thread_id, created_at=moment)
        method = self.store.add_thread_item if len(text) % 2 else self.store.save_item
        items = self.items.get((user, thread_id))
        if items is None:
            with pytest.raises(NotFoundError):
                self.attempt(lambda: method(thread_id, item, context(user)))
            return
        self.attempt(lambda: method(thread_id, item, context(user)))
        number = next(self.writes)
        place = items[item_id][0] if item_id in items else (moment, 1, number)
        items[item_id] = (place, item)
        self.activity[user, thread_id] = (1, number)
        self.page_through_items(user, thread_id, 3, "asc", delete=False, forget=True)

    @precondition(lambda self: self.fault.countdown is None)
    @rule(user=USERS, thread_id=THREADS, item_id=ITEMS, moment=MOMENTS)
    def save_item_in_an_earlier_version(self, user, thread_id, item_id, moment):
        """It ordered items of one time by their ids, and runs beside this one during a deploy."""
        items = self.items.get((user, thread_id))
        if items is None or item_id in items:
            return
        self.save_item(user, thread_id, item_id, moment, "old")
        as_before(self, context(user), thread_id, item_id, moment)
        items[item_id] = ((moment, 0, keys.part(item_id)), items[item_id][1])
        self.page_through_items(user, thread_id, 3, "desc", delete=False, forget=True)

    @rule(user=USERS, thread_id=THREADS, item_id=ITEMS)
    def delete_item(self, user, thread_id, item_id):
        self.attempt(lambda: self.store.delete_thread_item(thread_id, item_id, context(user)))
        self.items.get((user, thread_id), {}).pop(item_id, None)

    @rule(user=USERS, attachment_id=ITEMS, name=st.text(min_size=1, max_size=5))
    def save_attachment(self, user, attachment_id, name):
        name = name.encode("utf-8", "replace").decode()
        made = FileAttachment(id=attachment_id, name=name, mime_type="text/plain")
        self.attempt(lambda: self.store.save_attachment(made, context(user)))
        self.attachments[user, attachment_id] = made

    @rule(user=USERS, attachment_id=ITEMS)
    def delete_attachment(self, user, attachment_id):
        self.attempt(lambda: self.store.delete_attachment(attachment_id, context(user)))
        self.attachments.pop((user, attachment_id), None)

    @rule(
        user=USERS,
        thread_id=THREADS,
        limit=LIMITS,
        order=ORDERS,
        delete=st.booleans(),
        forget=st.booleans(),
    )
    def page_through_items(self, user, thread_id, limit, order, *, delete, forget):
        """Pages equal the model's. With `delete`, the cursor's item is deleted between two."""
        expected = self.ordered(user, thread_id, order)
        after, found = None, []
        while True:
            if forget:
                self.forget_places()
            page = self.attempt(
                lambda: self.store.load_thread_items(
                    thread_id,
                    after,  # noqa: B023 - run at once
                    limit,
                    order,
                    context(user),
                )
            )
            found += page.data
            assert page.has_more == (len(found) < len(expected))
            if not page.has_more:
                assert page.after is None
                break
            after = page.data[-1].id
            assert page.after == after
            if delete:
                self.delete_item(user, thread_id, after)
        assert found == expected

    @rule(user=USERS, limit=LIMITS, order=ORDERS)
    def page_through_threads(self, user, limit, order):
        own = [thread_id for owner, thread_id in self.threads if owner == user]
        own.sort(key=lambda thread_id: self.activity[user, thread_id], reverse=order == "desc")
        after, found = None, []
        while True:
            page = self.attempt(
                lambda: self.store.load_threads(limit, after, order, context(user))  # noqa: B023
            )
            found += [each.id for each in page.data]
            assert page.has_more == (len(found) < len(own))
            if not page.has_more:
                break
            assert len(page.data) == limit
            after = page.after
        assert found == own

    @rule(user=USERS, thread_id=THREADS, item_id=ITEMS)
    def load_one_of_each(self, user, thread_id, item_id):
        item = self.items.get((user, thread_id), {}).get(item_id, (None, None))[1]
        attachment = self.attachments.get((user, item_id))
        for expected, load in (
            (item, lambda: self.store.load_item(thread_id, item_id, context(user))),
            (attachment, lambda: self.store.load_attachment(item_id, context(user))),
        ):
            if expected is None:
                with pytest.raises(NotFoundError):
                    self.attempt(load)
            else:
                assert self.attempt(load) == expected

    @precondition(lambda self: self.fault.countdown is None)
    @invariant()
    def every_thread_is_as_the_model_has_it(self):
        for (user, thread_id), fields in self.threads.items():
            loaded = self.run(self.store.load_thread(thread_id, context(user)))
            assert loaded.model_dump() == fields
            opened, items = self.open_turn(user, thread_id)
            assert opened.model_dump() == fields
            assert items == self.ordered(user, thread_id, "desc")[:3]

    def ordered(self, user, thread_id, order):
        places = self.items.get((user, thread_id), {})
        ranked = sorted(places, key=lambda item_id: places[item_id][0])
        return [places[item_id][1] for item_id in (ranked if order == "asc" else ranked[::-1])]

    def open_turn(self, user, thread_id):
        """A thread and its newest items, in the way that a turn reads them."""
        opened, page = self.run(self.store.open_turn(thread_id, 3, context(user)))
        return opened, self.run(page()).data

    def forget_places(self):
        """Page as another process does, which has not returned the cursor."""
        self.store._items._places.clear()


CLIENTS: dict[str, object] = {}


def context(user):
    return RequestContext(user_id=user)


def many(examples):
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


class StoreOnAwsEngine(StoreBesideModel):
    engine = "dynamodb-local"


class StoreInMemory(StoreBesideModel):
    """The same model, without faults and without earlier versions, which need a table."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()

    break_a_request_soon = save_item_in_an_earlier_version = None

    def open_turn(self, user, thread_id):
        opened = self.run(self.store.load_thread(thread_id, context(user)))
        newest = self.store.load_thread_items(thread_id, None, 3, "desc", context(user))
        return opened, self.run(newest).data

    def forget_places(self):
        """There is one process."""


@pytest.fixture
def aws_engine(dynamodb_local):
    CLIENTS["dynamodb-local"] = engine.connect(dynamodb_local)


def case(machine, examples):
    """A test class of its own for each number of examples: pytest runs it under its own name."""
    made = type(machine.__name__, (machine.TestCase,), {})
    made.settings = many(examples)
    return made


TestStoreBesideModel = case(StoreBesideModel, 8)
TestStoreOnAwsEngine = pytest.mark.usefixtures("aws_engine")(case(StoreOnAwsEngine, 4))
TestStoreInMemory = case(StoreInMemory, 8)
TestStoreBesideModelAtLength = pytest.mark.soak(case(StoreBesideModel, 500))
TestStoreOnAwsEngineAtLength = pytest.mark.soak(
    pytest.mark.usefixtures("aws_engine")(case(StoreOnAwsEngine, 250))
)
