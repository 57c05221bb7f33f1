"""`isolation=session`: code that acts for one person gets nothing of another, even if it asks.

Each attempt is made twice. For the person whose things they are it is allowed, so it does reach
them; for another one AWS's rules refuse it, and not one row or object changes.
"""

import asyncio
import inspect
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache

import boto3
import pytest
from botocore.exceptions import ClientError
from chatkit.types import AttachmentCreateParams, FileAttachment, ThreadMetadata

from functions import aws
from functions.attachments import S3AttachmentStore
from functions.attachments.arrival import Arrived
from functions.attachments.schema import file_key, image_key, spill_prefix, upload_key, voice_prefix
from functions.aws import owner_sessions
from functions.aws.bucket import Bucket, SignedPut
from functions.aws.clients import together
from functions.context import RequestContext
from functions.limit_table import LimitTable
from functions.limits import Limits, Use
from functions.store import (
    DynamoDBStore,
    Records,
    Run,
    RunAlreadyStarted,
    Runs,
    Sessions,
    Table,
    keys,
)
from functions.store.schema import INDEX
from tests.infra.stack.iam import Need, grants, signer_of
from tests.infra.stack.stage import BUCKET, FUNCTIONS, PNG, REGION, TABLE
from tests.store.samples import message, run_record

ADA, BOB = "anon_ada", "anon_bob"
HIS = RequestContext(user_id=BOB)
THREAD = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 2))
ROW = keys.thread_key(BOB, "thr_1")
ITEM = keys.item_key(BOB, "thr_1", "msg_1")
OWN = keys.thread_key(ADA, "thr_9")
FILE = FileAttachment(
    id="atc_1", name="a.txt", mime_type="text/plain", thread_id="thr_1", metadata={"s3_size": 5}
)
UPLOADED, KEPT = upload_key(BOB, "atc_1"), file_key(BOB, "atc_1")
SPILLED = f"{spill_prefix(BOB, 'thr_1', 'msg_1')}x"
DRAWN = image_key(BOB, "thr_1", "img_1")
HER_FILE = file_key(ADA, "atc_9")


@pytest.fixture(scope="module")
def template(synth):
    return synth(provider="openai", isolation="session")["chatkit-dev"]


CURRENT = []
"""The function's role of the current attempt."""


@cache
def administrator(service):
    """A client that is held to no role. Making one takes longer than a test."""
    key = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return boto3.session.Session().client(service, region_name=REGION, **key)


def etag(key):
    return administrator("s3").head_object(Bucket=BUCKET, Key=key)["ETag"]


def links_right(action, key):
    return Need(f"s3:{action}", f"arn:aws:s3:::{BUCKET}/{key}")


async def used(sign, action, place, **kwargs):
    """Sign a link, and do with it what the browser does."""
    signed = await aws.call(sign, **kwargs)
    url = signed.url if isinstance(signed, SignedPut) else signed
    signer_of(CURRENT[0], url).require(links_right(action, place), action)


async def announced(files):
    given = AttachmentCreateParams(name="a.txt", size=5, mime_type="text/plain")
    made = await files.create_attachment(given, HIS)
    url = str(made.upload_descriptor.url)
    place = upload_key(BOB, made.id)
    signer_of(CURRENT[0], url).require(links_right("PutObject", place), "PutObject")


async def linked(files):
    url = await files.link(FILE, HIS)
    signer_of(CURRENT[0], url).require(links_right("GetObject", KEPT), "GetObject")


async def changed(store):
    _, version = await store.load_item_versioned("thr_1", "msg_1", HIS)
    await store.save_item_if("thr_1", message("msg_1", "x"), HIS, expected=version)


async def collect(rows):
    return [row async for row in rows]


def rows_of(partition):
    return {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
    }


def writing(verb, key):
    spec = {"Key": key} if verb != "Put" else {"Item": {**key, "id": {"S": "x"}}}
    if verb == "Update":
        spec["UpdateExpression"] = "SET x = :x"
        spec["ExpressionAttributeValues"] = {":x": {"S": "x"}}
    if verb == "ConditionCheck":
        spec["ConditionExpression"] = "attribute_exists(pk)"
    return {verb: spec}


TABLE_ATTEMPTS = {
    "get": lambda t: t.get(ROW),
    "get_many": lambda t: t.get_many([ROW, ITEM]),
    "query": lambda t: collect(t.query(**rows_of(keys.user_partition(BOB)))),
    "query of items": lambda t: collect(t.query(**rows_of(keys.thread_partition(BOB, "thr_1")))),
    "query of the index": lambda t: collect(
        t.query(IndexName=INDEX, **rows_of(keys.user_partition(BOB)))
    ),
    "query of the counter": lambda t: collect(t.query(**rows_of(keys.counters_partition(BOB)))),
    "update": lambda t: t.update(ROW, "SET x = :x", ExpressionAttributeValues={":x": {"S": "x"}}),
    "put": lambda t: t.put({**ROW, "id": {"S": "x"}}),
    "delete": lambda t: t.delete(ITEM),
    "delete_many": lambda t: t.delete_many([ITEM]),
    **{
        f"transact: {verb}": lambda t, verb=verb: t.transact([writing(verb, ITEM)])
        for verb in ("Put", "Update", "Delete", "ConditionCheck")
    },
}
MIXED_ATTEMPTS = {
    "get_many with one of her own": lambda t: t.get_many([OWN, ROW]),
    "delete_many with one of her own": lambda t: t.delete_many([OWN, ITEM]),
    "transact with one of her own": lambda t: t.transact(
        [writing("Put", OWN), writing("Update", ROW)]
    ),
}
"""Attempts that also name what is hers: nobody may make these either."""
DENIED = ClientError({"Error": {"Code": "403"}}, "HeadObject")
BUCKET_ATTEMPTS = {
    **{
        f"{verb} {place}": lambda b, verb=verb, key=key: getattr(b, verb)(
            key, *((b"x", "text/plain") if verb == "put" else ())
        )
        for verb in ("put", "get", "head", "delete")
        for place, key in {
            "upload": UPLOADED,
            "recording": f"{voice_prefix(BOB)}x",
            "file": KEPT,
            "image": DRAWN,
            "body": SPILLED,
        }.items()
    },
    "get of what is not there": lambda b: b.get(f"{KEPT}x"),
    "head of what is not there": lambda b: b.head(f"{KEPT}x"),
    "is_missing": lambda b: aws.call(b.is_missing, error=DENIED, key=KEPT),
    "copy": lambda b: b.copy(KEPT, UPLOADED, etag(KEPT), "text/plain"),
    "delete_prefix": lambda b: b.delete_prefix(spill_prefix(BOB, "thr_1", "msg_1")),
    "list": lambda b: collect(b.list(f"files/{KEPT.split('/')[1]}/")),
    "sign_get": lambda b: used(b.sign_get, "GetObject", KEPT, key=KEPT),
    "sign_put": lambda b: used(
        b.sign_put, "PutObject", KEPT, key=KEPT, content_type="text/plain", size=1
    ),
}
NOBODYS_ATTEMPTS = {
    "copy to her": lambda b: b.copy(KEPT, HER_FILE, etag(KEPT), "text/plain"),
    "copy from her": lambda b: b.copy(HER_FILE, KEPT, etag(HER_FILE), "text/plain"),
    "list of everybody": lambda b: collect(b.list("")),
    "list of all files": lambda b: collect(b.list("files/")),
    "delete_prefix of everybody": lambda b: b.delete_prefix(""),
}
"""Attempts that nobody may make."""

STORE_ATTEMPTS = {
    "load_thread": lambda s: s.load_thread("thr_1", HIS),
    "save_thread": lambda s: s.save_thread(THREAD.model_copy(update={"title": "x"}), HIS),
    "name_thread": lambda s: s.name_thread(THREAD.model_copy(), "x", HIS),
    "load_threads": lambda s: s.load_threads(9, None, "desc", HIS),
    "delete_thread": lambda s: s.delete_thread("thr_1", HIS),
    "load_thread_items": lambda s: s.load_thread_items("thr_1", None, 9, "asc", HIS),
    "add_thread_item": lambda s: s.add_thread_item("thr_1", message("msg_2"), HIS),
    "save_item": lambda s: s.save_item("thr_1", message("msg_1", "x"), HIS),
    "load_item": lambda s: s.load_item("thr_1", "msg_1", HIS),
    "load_item_versioned": lambda s: s.load_item_versioned("thr_1", "msg_1", HIS),
    "save_item_if": changed,
    "delete_thread_item": lambda s: s.delete_thread_item("thr_1", "msg_1", HIS),
    "save_attachment": lambda s: s.save_attachment(FILE.model_copy(), HIS),
    "load_attachment": lambda s: s.load_attachment("atc_1", HIS),
    "delete_attachment": lambda s: s.delete_attachment("atc_1", HIS),
    "save_feedback": lambda s: s.save_feedback("thr_1", ["msg_1"], "positive", HIS),
    "load_feedback": lambda s: s.load_feedback("thr_1", HIS),
    "open_turn": lambda s: s.open_turn("thr_1", 9, HIS),
    "read_turn": lambda s: s.read_turn("thr_1", 9, HIS),
    "begin_run": lambda s: s.begin_run(Run("run_2", "thr_1", time.time() + 60), HIS),
    "delete_user": lambda s: s.delete_user(BOB),
    "export_user": lambda s: collect(s.export_user(BOB)),
    "user_partitions": lambda s: s.user_partitions(BOB),
}
FILE_ATTEMPTS = {
    "create_attachment": announced,
    "check_uploaded": lambda f: f.check_uploaded(FILE.model_copy(update={"thread_id": None}), HIS),
    "look": lambda f: f.look(FILE.model_copy(update={"thread_id": None}), HIS),
    "keep": lambda f: f.keep(Arrived(FILE, UPLOADED, KEPT, etag(UPLOADED))),
    "delete_attachment": lambda f: f.delete_attachment("atc_1", HIS),
    "read": lambda f: f.read(FILE, HIS),
    "link": linked,
    "put_image": lambda f: f.put_image("thr_1", "img_1", PNG, HIS),
}
LIMITED = LimitTable.model_validate({"person": {"messages_per_day": 9, "requests_per_minute": 9}})


def limits(table):
    return Limits(LIMITED, table)


OTHER_ATTEMPTS = {
    "Runs.cancel": lambda t: Runs(t).cancel("run_1", HIS),
    "Runs.is_cancelled": lambda t: Runs(t).is_cancelled("run_1", HIS),
    "Runs.find": lambda t: Runs(t).find("run_1", HIS),
    "Runs.finish": lambda t: Runs(t).finish("run_1", "thr_1", HIS, "ended"),
    "Runs.running": lambda t: Runs(t).running("thr_1", HIS),
    "Runs.keep_record": lambda t: Runs(t).keep_record(run_record(), HIS),
    "Records.get": lambda t: Records(t).get("notes", HIS),
    "Records.put": lambda t: Records(t).put("lists", [1], HIS, version=0),
    "Records.of_thread": lambda t: Records(t).of_thread("thr_1").get("notes", HIS),
    "Records.of_thread, written": lambda t: (
        Records(t).of_thread("thr_1").put("lists", [1], HIS, version=0)
    ),
    "Sessions.end_all": lambda t: Sessions(t).end_all(HIS),
    "Sessions.is_over": lambda t: Sessions(t).is_over(HIS, 0.0),
    "Runs.claim_replay": lambda t: Runs(t).claim_replay(Run("run_1", "thr_1", 0.0), HIS),
    "Runs.end_replay": lambda t: Runs(t).end_replay(Run("run_1", "thr_1", 0.0), HIS),
    "Limits.reserve": lambda t: limits(t).reserve(HIS, Use(messages=1)),
    "Limits.spend": lambda t: limits(t).spend(HIS, Use(messages=1)),
    "Limits.spend of a request": lambda t: limits(t).spend(HIS, Use(requests=1)),
    "Limits.used": lambda t: limits(t).used(HIS),
}

ATTEMPTS = {
    f"{kind.__name__}: {name}": (kind, attempt)
    for kind, attempts in {
        Table: TABLE_ATTEMPTS | OTHER_ATTEMPTS,
        Bucket: BUCKET_ATTEMPTS,
        DynamoDBStore: STORE_ATTEMPTS,
        S3AttachmentStore: FILE_ATTEMPTS,
    }.items()
    for name, attempt in attempts.items()
}
FORBIDDEN = {
    **{f"Bucket: {name}": (Bucket, attempt) for name, attempt in NOBODYS_ATTEMPTS.items()},
    **{f"Table: {name}": (Table, attempt) for name, attempt in MIXED_ATTEMPTS.items()},
    "Table: scan": (Table, lambda t: aws.call(t.client.scan, TableName=TABLE)),
    "DynamoDBStore: sweep": (DynamoDBStore, lambda s: s.sweep()),
}

NOT_AN_ATTEMPT = {
    "key_of", "key", "generate_thread_id", "generate_item_id", "generate_attachment_id",
    "read_image",  # refuses by itself what is not the context's own, before it asks
    "purge_deleted",  # acts for whom each record names
    "has",  # reads the settings
    "sweep",  # nobody's, see FORBIDDEN
}  # fmt: skip


def thing(kind):
    if kind is DynamoDBStore:
        return DynamoDBStore(TABLE, bucket=BUCKET)
    return {Table: Table, Bucket: Bucket, S3AttachmentStore: S3AttachmentStore}[kind](
        TABLE if kind is Table else BUCKET
    )


async def settle_in():
    """What Bob has, and something of Ada's."""
    store = DynamoDBStore(TABLE, bucket=BUCKET)
    with owner_sessions.acting_for(BOB):
        await store.save_thread(THREAD.model_copy(), HIS)
        await store.add_thread_item("thr_1", message("msg_1"), HIS)
        await store.save_attachment(FILE.model_copy(update={"thread_id": None}), HIS)
        await Records(store.table).put("notes", ["secret"], HIS, version=0)
        # moto takes a write twice that botocore repeats after a slow answer; DynamoDB does not.
        with suppress(RunAlreadyStarted):
            await store.begin_run(Run("run_1", "thr_1", time.time() + 3600), HIS)
        for key in (UPLOADED, KEPT, SPILLED, DRAWN, f"{voice_prefix(BOB)}x"):
            await store.bucket.put(key, b"hello", "text/plain")
    with owner_sessions.acting_for(ADA):
        await store.table.put({**OWN, "id": {"S": "thr_9"}})
        await store.bucket.put(HER_FILE, b"hello", "text/plain")


def everything():
    """All rows and objects, as an administrator sees them."""
    rows = administrator("dynamodb").scan(TableName=TABLE)["Items"]
    objects = administrator("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return (
        sorted(rows, key=lambda row: (row["pk"]["S"], row["sk"]["S"])),
        [(entry["Key"], entry["ETag"], entry["LastModified"]) for entry in objects],
    )


@pytest.fixture(scope="module")
def functions_role(stage):
    role = stage.role("Chat")
    CURRENT[:] = [role]
    with stage.within("Chat", role):
        yield role
    administrator.cache_clear()


@pytest.fixture(scope="module")
def settled():
    """`everything()` as it is before each attempt."""
    return []


@pytest.fixture
def role(functions_role, settled):
    """The streaming function's role, which this process is held to, and what Bob and Ada have."""
    if settled != [everything()]:  # an attempt that only reads leaves it all as it is
        forget()
        asyncio.run(settle_in())
        settled[:] = [everything()]
    functions_role.denied.clear()
    functions_role.data.denied.clear()
    return functions_role


def forget():
    table = administrator("dynamodb")
    for row in table.scan(TableName=TABLE)["Items"]:
        table.delete_item(TableName=TABLE, Key={"pk": row["pk"], "sk": row["sk"]})
    for entry in administrator("s3").list_objects_v2(Bucket=BUCKET).get("Contents", []):
        administrator("s3").delete_object(Bucket=BUCKET, Key=entry["Key"])


def attempted(kind, attempt, user):
    async def act():
        owner_sessions.act_for(user)
        return await attempt(thing(kind))

    return asyncio.run(act())


def refused(role, kind, attempt):
    before = everything()
    with pytest.raises(ClientError) as error:
        attempted(kind, attempt, ADA)
    assert error.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "403"}
    assert role.data.denied
    assert everything() == before


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_another_person_has_is_refused_by_aws_and_stays_as_it_is(role, name):
    kind, attempt = ATTEMPTS[name]
    refused(role, kind, attempt)
    role.data.denied.clear()
    attempted(kind, attempt, BOB)
    assert role.denied == role.data.denied == []


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_everybodys_is_refused_to_each(role, name):
    refused(role, *FORBIDDEN[name])


def test_every_method_that_reaches_rows_or_objects_is_tried():
    tried = {
        Table: {name.split(":")[0].split(" ")[0] for name in TABLE_ATTEMPTS},
        Bucket: {name.split(":")[0].split(" ")[0] for name in BUCKET_ATTEMPTS},
        DynamoDBStore: STORE_ATTEMPTS.keys(),
        S3AttachmentStore: FILE_ATTEMPTS.keys(),
    }
    for kind in (Runs, Records, Limits, Sessions):
        prefix = f"{kind.__name__}."
        tried[kind] = {n.removeprefix(prefix) for n in OTHER_ATTEMPTS if n.startswith(prefix)}
    for kind, names in tried.items():
        methods = {
            name
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }
        assert methods - names - NOT_AN_ATTEMPT == set(), kind


def test_a_request_that_names_no_partition_and_no_prefix_is_refused(stage):
    """`ForAllValues` alone would be true for it."""
    for name in ("Data", *FUNCTIONS):
        role = stage.role(name)
        tags = (("aws:PrincipalTag/owner", (ADA,)), ("aws:PrincipalTag/folder", ("f" * 32,)))
        for statement in role.statements:
            for grant in grants(statement):
                need = Need(grant["Action"], grant["Resource"], given=tags)
                if need.action in {"dynamodb:ListStreams", "s3:ListBucket"} or (
                    need.action.startswith("dynamodb:") and "/stream/" not in need.resource
                ):
                    assert role.permits(need) == (need.action == "dynamodb:ListStreams"), need


def test_a_session_without_a_tag_reaches_nothing(stage):
    role = stage.role("Data")
    row = (("dynamodb:LeadingKeys", (f"U#{ADA}",)),)
    owner = (("aws:PrincipalTag/owner", (ADA,)),)
    need = Need("dynamodb:GetItem", stage.names_arn("Table"), given=row)
    assert role.permits(replace(need, given=row + owner))
    assert not role.permits(need)
    assert not role.permits(Need("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{KEPT}", given=owner))


def test_without_an_owner_no_row_and_no_object_is_reached(role):
    for attempt in (lambda: Table(TABLE).get(ROW), lambda: Bucket(BUCKET).get(KEPT)):
        with pytest.raises(owner_sessions.NoOwnerError):
            asyncio.run(attempt())


def test_the_functions_own_role_reaches_the_stages_counters_and_nobodys_rows(role):
    own = Table(TABLE, nobodys=True)
    stage = keys.shared_counters_key("stage", "0")
    asyncio.run(own.update(stage, "SET x = :x", ExpressionAttributeValues={":x": {"S": "x"}}))
    assert role.denied == []
    for attempt in (
        lambda: own.get_many([ROW]),
        lambda: own.get_many([stage]),
        lambda: own.get_many([keys.counters_key(BOB)]),
        lambda: own.update(ROW, "SET x = :x", ExpressionAttributeValues={":x": {"S": "x"}}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            asyncio.run(attempt())


def test_two_people_at_the_same_time_get_each_their_own(role):
    async def both():
        async def asks(user, key):
            owner_sessions.act_for(user)
            return await Bucket(BUCKET).get(key)

        tasks = [asyncio.create_task(asks(*each)) for each in ((BOB, KEPT), (ADA, HER_FILE)) * 4]
        return await together(*tasks)

    assert asyncio.run(both()) == [b"hello"] * 8


def test_a_record_of_the_stream_reaches_only_whom_it_names(role):
    """A record of Bob's that names an object of Ada's removes nothing of hers."""
    key = {"pk": {"S": f"U#{BOB}"}, "sk": {"S": "ITEM#x"}}
    change = {"Keys": key, "OldImage": {**key, "spill": {"S": HER_FILE}}, "SequenceNumber": "7"}
    record = {"eventSource": "aws:dynamodb", "eventName": "REMOVE", "dynamodb": change}
    before = everything()
    assert asyncio.run(DynamoDBStore(TABLE, bucket=BUCKET).purge_deleted([record])) == ["7"]
    assert everything() == before
    change["OldImage"]["spill"]["S"] = SPILLED
    assert asyncio.run(DynamoDBStore(TABLE, bucket=BUCKET).purge_deleted([record])) == []
    assert SPILLED not in {key for key, *_ in everything()[1]}
