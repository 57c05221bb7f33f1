"""Records: a document is replaced only by somebody who read the latest one."""

import pytest

from functions.store import Conflict, Records, Table


async def test_the_second_of_two_writers_of_a_record_gets_a_conflict(backend, ada, bob):
    records = Records(Table(backend.table, backend.dynamodb))
    assert await records.get("todo", ada) == (None, 0)
    first = await records.put("todo", {"a": [1, None, "ü", 1.5]}, ada, version=0)
    assert await records.get("todo", ada) == ({"a": [1, None, "ü", 1.5]}, first)
    with pytest.raises(Conflict):
        await records.put("todo", [], ada, version=0)
    second = await records.put("todo", [], ada, version=first)
    with pytest.raises(Conflict):
        await records.put("todo", ["late"], ada, version=first)
    assert await records.get("todo", ada) == ([], second)
    assert await records.get("todo", bob) == (None, 0)
    assert await records.get("other", ada) == (None, 0)


@pytest.mark.parametrize(
    ("value", "error"),
    [({1, 2}, TypeError), (float("nan"), ValueError), ("x" * 400_000, ValueError)],
)
async def test_a_value_that_cannot_be_a_record_is_rejected_and_nothing_is_stored(
    backend, ada, value, error
):
    records = Records(Table(backend.table, backend.dynamodb))
    with pytest.raises(error):
        await records.put("todo", value, ada, version=0)
    assert backend.rows() == []
