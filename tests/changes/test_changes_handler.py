"""The handler that Lambda calls, with batches as the table's stream sends them."""

import subprocess
import sys

import pytest

from functions.changes.changes import Changes
from tests.events.test_events_imports import OURS, WEB_AND_MODELS


class Taking:
    """A taker that fails with what it is told to."""

    def __init__(self, fails=()):
        self.fails, self.seen = fails, []

    async def take(self, records):
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        self.seen += numbers
        if self.fails == "all":
            raise OSError("the words of a person")
        return [number for number in numbers if number in self.fails]


def batch(*numbers):
    return {"Records": [{"dynamodb": {"SequenceNumber": number}} for number in numbers]}


def failed(answer):
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]


async def test_each_taker_gets_each_batch_and_what_any_of_them_failed_with_comes_again():
    takers = [Taking({"1"}), Taking({"3"}), Taking()]
    answer = await Changes(takers).handle(batch("1", "2", "3"))
    assert failed(answer) == ["1", "3"]
    assert [taker.seen for taker in takers] == [["1", "2", "3"]] * 3


async def test_a_taker_that_raises_fails_with_its_batch_and_hinders_no_other(caplog):
    takers = [Taking("all"), Taking()]
    assert failed(await Changes(takers).handle(batch("1", "2"))) == ["1", "2"]
    assert takers[1].seen == ["1", "2"]
    assert "OSError" in caplog.text
    assert "words of a person" not in caplog.text


@pytest.mark.parametrize("takers", [[], [Taking()]])
async def test_a_batch_that_everybody_took_does_not_come_again(takers):
    assert await Changes(takers).handle(batch("1")) == {"batchItemFailures": []}


def test_the_cold_start_imports_no_web_framework_no_model_sdk_and_no_assistant():
    code = "import sys, functions.changes.handler; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(done.stdout.split()) & (WEB_AND_MODELS | OURS)
