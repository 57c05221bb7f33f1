"""GET /chatkit/report: for administrators, who have signed in."""

import os

import pytest

from functions.aws.clients import client
from functions.changes.totals import Totals
from functions.store import Table
from functions.store.totals import Totals as Counted
from tests.support.chat import Chat, thread_of
from tests.support.openai_server import Say


@pytest.fixture
def app_settings(sign_in_settings):
    return sign_in_settings(oidc_optional=True, admin_role="boss")


async def counted():
    """Has the totals count what all conversations have, as the table's stream does it."""
    name = os.environ["CHATKIT_TABLE"]
    records = [
        {
            "eventID": row["sk"]["S"],
            "eventName": "INSERT",
            "dynamodb": {"Keys": row, "NewImage": row, "SequenceNumber": row["sk"]["S"]},
        }
        for row in client("dynamodb").scan(TableName=name)["Items"]
    ]
    assert await Totals(Counted(Table(name))).take(records) == []


async def test_an_administrator_reads_what_everybody_has_used(person, model):
    model.script = [Say("Hello.")]
    ada, boss = person(), person(sub="boss", roles=["boss"])
    events = ada.create("Hi")
    done = [event for event in events if event["type"] == "thread.item.done"][-1]["item"]["id"]
    thread = thread_of(events)
    ada.read("items.feedback", thread_id=thread, item_ids=[done], kind="negative")
    await counted()
    answer = boss.http.get("/chatkit/report?days=2")
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert len(report["days"]) == 2
    day = report["days"][-1]
    assert report["to"] == day["day"]
    assert (day["people"], day["messages"], day["feedback"]["negative"]) == (1, 1, 1)
    assert (day["models"][0]["model"], day["models"][0]["answers"]) == ("test", 1)
    (question,) = report["questions"]
    assert (question["why"], question["item"], question["text"]) == ("thumb down", done, None)
    assert "Hi" not in answer.text


def test_nobody_else_gets_it(person, server):
    for chat in (person(), person(roles=["admin"]), Chat(server)):
        refused = chat.http.get("/chatkit/report")
        assert refused.status_code == 403
        assert refused.json()["message"] == "The report is for administrators."


@pytest.mark.parametrize("days", ["0", "367", "-1", "1.5", "٣", "x", "", "9" * 5000])
def test_days_are_a_number_within_a_year(person, days):
    answer = person(roles=["boss"]).http.get("/chatkit/report", params={"days": days})
    assert answer.status_code == 422
    assert answer.json()["message"] == "days is a whole number from 1 to 366."
