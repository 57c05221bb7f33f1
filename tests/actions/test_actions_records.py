"""An action that the second function runs leaves a record, as a run does."""

import logging

import pytest

from functions.run_record import RunRecord
from functions.store import keys
from functions.store.table import Table
from tests.assistants.sample.features import items


@pytest.fixture
async def card(ada):
    """An item of a checklist, and the card that shows it."""
    [item] = await items.add_items(ada.documents, ["milk"])
    return item, await ada.shown(await ada.thread(), items.card([item]))


@pytest.fixture
def kept(settings):
    """The records in a thread's partition."""

    async def kept(person, thread):
        table = Table(settings.table)
        partition = keys.ended_run_key(person.user.id, thread, "x")["pk"]
        found = table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :ended)",
            ExpressionAttributeValues={":pk": partition, ":ended": {"S": keys.ENDED}},
        )
        return [RunRecord.model_validate_json(row["body"]["S"]) async for row in found]

    return kept


@pytest.mark.parametrize("sync", [True, False])
async def test_an_action_is_kept_and_logged_without_its_payload(ada, card, kept, caplog, sync):
    caplog.set_level(logging.INFO, "functions.run_log")
    item, shown = card
    response = await ada.press(shown, "item.toggle", {"id": item.id, "done": True}, sync=sync)
    assert response.status_code == 200
    [record] = await kept(ada, shown.thread_id)
    assert (record.action, record.outcome, record.model) == ("item.toggle", "completed", "")
    assert record.request == f"threads.{'sync_' if sync else ''}custom_action"
    [line] = [each for each in caplog.records if hasattr(each, "outcome")]
    assert line.run_id == record.run_id
    assert item.id not in record.model_dump_json()


@pytest.mark.parametrize("kind", ["break.sync", "break.events"])
async def test_an_action_that_raises_is_kept_with_the_kind_of_its_error(ada, card, kept, kind):
    _, shown = card
    await ada.press(shown, kind, {}, sync=kind == "break.sync")
    [record] = await kept(ada, shown.thread_id)
    assert (record.outcome, record.error) == ("failed", "KeyError")


async def test_an_action_that_is_refused_is_no_run(ada, card, kept):
    _, shown = card
    response = await ada.press(shown, "item.toggle", {"id": "0" * 12, "done": True})
    assert response.status_code == 404
    assert await kept(ada, shown.thread_id) == []
