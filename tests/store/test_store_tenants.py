"""The tenant is in every key: nothing of one person in a tenant is known in another."""

import inspect
import time

import pytest
from chatkit.store import NotFoundError

from functions.attachments import schema
from functions.aws.keys import digest, owner, part
from functions.context import RequestContext
from functions.limit_table import LimitTable
from functions.limits import Limits, Use
from functions.store import Records, Run, Runs, bodies, keys
from functions.store.table import Table
from functions.web.identity.person import owner_id
from tests.store.test_store_people import fill

ISSUER = "https://login.example"
ACME, GLOBEX = (
    RequestContext(user_id=owner_id(ISSUER, "ada", tenant), tenant=tenant)
    for tenant in ("acme", "globex")
)

OF_NOBODY = keys.SHARED
"""How the partitions of the counters begin that several people share."""


def functions_of(first, module):
    """Every function of a module that makes a key, and whose first parameter is called so."""
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if next(iter(inspect.signature(function).parameters), None) == first
        and function.__module__ == module.__name__
    }


def functions_of_a_user(module):
    """Every function of a module that makes a key from a user's."""
    return functions_of("user", module)


KEYS = functions_of_a_user(keys) | functions_of_a_user(schema)


def test_every_function_that_makes_a_key_is_looked_at():
    assert {"item_key", "run_key", "counters_key", "voice_prefix", "file_key"} <= KEYS.keys()
    assert len(KEYS) >= 15


@pytest.mark.parametrize("name", KEYS)
def test_a_key_begins_with_the_owner_and_so_with_the_tenant(name):
    function = KEYS[name]
    rest = ["x" for _ in list(inspect.signature(function).parameters)[1:]]

    def made(context):
        found = function(owner(context), *rest)
        return found["pk"]["S"] if isinstance(found, dict) else found

    one, two = made(ACME), made(GLOBEX)
    if name in functions_of_a_user(schema):
        assert one.partition(digest(owner(ACME)))[0] == two.partition(digest(owner(GLOBEX)))[0]
        assert digest(owner(ACME)) in one.split("/")
    else:
        assert one.split("#")[1] == ACME.user_id  # nothing of it needs to be encoded
    assert one != two


KEYS_OF_A_TENANT = functions_of("tenant", keys)


def test_a_key_of_documents_has_the_tenant_or_a_name_that_no_tenant_has():
    assert KEYS_OF_A_TENANT.keys() == {"documents_partition", "document_key"}
    names = [None, *(part(name) for name in ("acme", "@", "-", "", "a#b", "a", "!"))]
    for function in KEYS_OF_A_TENANT.values():
        rest = ["x" for _ in list(inspect.signature(function).parameters)[1:]]
        made = [function(name, *rest) for name in names]
        partitions = [each["pk"]["S"] if isinstance(each, dict) else each for each in made]
        assert len(set(partitions)) == len(names)
        assert all(partition.count("#") == 1 for partition in partitions)


async def use(backend, context):
    """Make a row and an object of every kind."""
    store, table = backend.store(), Table(backend.table, client=backend.dynamodb)
    await fill(backend, store, context, "thr_1")
    runs = Runs(table)
    await store.begin_run(Run("run_1", "thr_1", time.time() + 60), context)
    await runs.cancel("run_2", context)
    everything = {"messages_per_minute": 5, "messages_per_day": 5}
    limited = LimitTable.model_validate({"person": everything, "stage": everything})
    await Limits(limited, table).spend(context, Use(messages=1))
    await Records(table).put("notes", ["secret"], context, version=0)
    return store


@pytest.mark.parametrize("backend", ["moto"], indirect=True)
async def test_every_row_and_object_has_the_owner_in_its_key(backend, monkeypatch):
    monkeypatch.setattr(bodies, "PLAIN_BYTES", 400)
    monkeypatch.setattr(bodies, "ROW_BYTES", 380)
    await use(backend, ACME)
    rows, objects = backend.rows(), backend.objects()
    kinds = {row["sk"]["S"].partition("#")[0] for row in rows}
    assert {"THREAD", "HEAD", "ITEM", "ATT", "FB", "RUN", "REC"} <= kinds
    assert {key.split("/")[0] for key in objects} >= {"uploads", "images", "spill"}
    for row in rows:
        assert row["pk"]["S"].startswith(OF_NOBODY) or row["pk"]["S"].split("#")[1] == ACME.user_id
    for key in objects:
        assert digest(owner(ACME)) in key.split("/")


@pytest.mark.parametrize("backend", ["moto"], indirect=True)
async def test_the_ids_of_one_tenant_are_unknown_in_another(backend):
    store = await use(backend, ACME)
    table = Table(backend.table, client=backend.dynamodb)
    assert (await store.load_threads(9, None, "desc", GLOBEX)).data == []
    for read in (
        store.load_thread("thr_1", GLOBEX),
        store.load_item("thr_1", "m", GLOBEX),
        store.open_turn("thr_1", 9, GLOBEX),
    ):
        with pytest.raises(NotFoundError):
            await read
    for key in [row["sk"]["S"] for row in backend.rows() if row["sk"]["S"].startswith("ATT#")]:
        with pytest.raises(NotFoundError):
            await store.load_attachment(key.removeprefix("ATT#"), GLOBEX)
    assert await Records(table).get("notes", GLOBEX) == (None, 0)
    assert not await Runs(table).is_cancelled("run_2", GLOBEX)
    assert await store.load_feedback("thr_1", GLOBEX) == []
    await store.delete_user(GLOBEX.user_id)
    assert (await store.load_thread("thr_1", ACME)).id == "thr_1"


@pytest.mark.parametrize("backend", ["moto"], indirect=True)
async def test_a_limit_is_a_persons_in_one_tenant(backend):
    table = LimitTable.model_validate({"person": {"messages_per_day": 1}})
    limits = Limits(table, Table(backend.table, client=backend.dynamodb))
    await limits.spend(ACME, Use(messages=1))
    await limits.spend(GLOBEX, Use(messages=1))
