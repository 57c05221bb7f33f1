"""What people and runs do becomes totals, by the records of the real stream."""

import asyncio
from datetime import UTC, datetime

import pytest

from functions.changes.totals import Totals
from functions.run_record import RunRecord, ToolCall
from functions.store import Runs
from functions.store.histogram import BUCKETS, bucket, percentile
from functions.store.keys import stamp
from functions.store.report import Reports
from functions.store.totals import Totals as Counted
from tests.store.samples import answer, message, thread


@pytest.fixture
async def conversation(store, ada):
    """A thread of Ada's with a question, its answer, and a run that has ended."""
    await store.save_thread(thread("thr_1"), ada)
    await store.add_thread_item("thr_1", message("msg_question", "the question"), ada)
    await store.add_thread_item("thr_1", answer("msg_answer"), ada)
    record = RunRecord(
        run_id="r",
        at=stamp(datetime.now(UTC)),
        request="threads.create",
        owner="a-digest",
        thread_id="thr_1",
        message_id="msg_question",
        provider="openai",
        model="gpt-5",
        outcome="completed",
        first_token_ms=400,
        duration_ms=900,
        input_tokens=7,
        output_tokens=5,
        cached_tokens=3,
        microdollars=1_500_000,
        tools=[ToolCall(name="find", ms=1, outcome="failed")],
        unsupported=True,
    )
    await Runs(store.table).keep_record(record, ada)
    return record


async def report(backend, store, texts=None):
    """The report of today, after the whole stream was delivered."""
    assert await Totals(Counted(store.table), texts).take(backend.stream()) == []
    return await Reports(store.table).read(1)


async def test_a_run_and_its_thumb_are_a_day_in_the_report(backend, store, ada, conversation):
    await store.save_feedback("thr_1", ["msg_answer"], "negative", ada)
    for _ in range(2):  # the second time everything is delivered again
        read = await report(backend, store)
        assert read["from"] == read["to"] == conversation.at[:10]
        assert read["days"] == [
            {
                "day": conversation.at[:10],
                "people": 1,
                "messages": 1,
                "outcomes": {"completed": 1},
                "errors": {},
                "feedback": {"positive": 0, "negative": 1},
                "tools": {"find": {"calls": 1, "failed": 1}},
                "models": [
                    {
                        "model": "gpt-5",
                        "provider": "openai",
                        "answers": 1,
                        "inputTokens": 7,
                        "outputTokens": 5,
                        "cachedTokens": 3,
                        "dollars": 1.5,
                        "firstTokenP50Ms": 420,
                        "firstTokenP90Ms": 420,
                    }
                ],
            }
        ]
        why = {
            each["why"]: (each["thread"], each["item"], each["text"]) for each in read["questions"]
        }
        assert why == {
            "no source": ("thr_1", "msg_question", None),
            "thumb down": ("thr_1", "msg_answer", None),
        }


async def test_a_mark_that_is_changed_moves_and_one_that_is_taken_back_goes(
    backend, store, ada, conversation
):
    shown = []
    for kind in ("negative", "positive", "negative", None):
        await store.save_feedback("thr_1", ["msg_answer"], kind, ada)
        read = await report(backend, store)
        shown.append((*read["days"][0]["feedback"].values(), len(read["questions"])))
    assert shown == [(0, 1, 2), (1, 0, 1), (0, 1, 2), (0, 0, 1)]


async def test_what_a_deleted_person_asked_is_gone_and_was_counted(
    backend, store, ada, conversation
):
    await store.save_feedback("thr_1", ["msg_answer"], "negative", ada)
    read = await report(backend, store, texts=store)
    assert {each["text"] for each in read["questions"]} == {"the question"}
    await store.delete_user(ada.user_id)
    after = await report(backend, store, texts=store)
    assert after["questions"] == []
    assert after["days"] == read["days"]
    rows = str([row for row in backend.rows() if row["pk"]["S"].startswith("S#")])
    for trace in ("ada", "a-digest", "thr_1", "msg_", "question"):
        assert trace not in rows.replace("QUESTION#", "")


@pytest.mark.parametrize("backend", ["dynamodb-local"], indirect=True)
async def test_readers_that_count_the_same_records_at_once_count_them_once(
    backend, store, ada, conversation
):
    records = backend.stream()
    totals = Totals(Counted(store.table))
    assert await asyncio.gather(*(totals.take(records) for _ in range(8))) == [[]] * 8
    (day,) = (await Reports(store.table).read(1))["days"]
    assert (day["people"], day["messages"], day["models"][0]["inputTokens"]) == (1, 1, 7)


async def test_a_record_that_cannot_be_read_fails_alone(backend, store, conversation):
    good = backend.stream()
    broken = {
        "eventID": "e",
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"pk": {"S": "U#u#T#t"}, "sk": {"S": "ENDED#x"}},
            "NewImage": {"body": {"S": "{}"}},
            "SequenceNumber": "7",
        },
    }
    assert await Totals(Counted(store.table)).take([broken, *good]) == ["7"]
    assert (await Reports(store.table).read(1))["days"][0]["messages"] == 1


def test_percentiles_are_exact_to_some_ten_percent():
    times = [11, 130, 400, 401, 950, 2_000, 8_000, 60_000, 200_000, 900_000]
    counts = dict.fromkeys(range(BUCKETS), 0)
    for ms in times:
        counts[bucket(ms)] += 1
    for share in (0.1, 0.3, 0.5, 0.9, 1.0):
        exact = times[round(share * 10) - 1]
        assert abs(percentile(counts, share) / exact - 1) < 0.1
    assert percentile({}, 0.5) is None
    assert bucket(0) == 0
    assert bucket(10**9) == BUCKETS - 1
