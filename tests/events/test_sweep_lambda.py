"""The handler of the weekly sweep, as EventBridge has it invoked."""

import logging
import time

import pytest

from functions.events import sweep_handler
from functions.events.sweep_handler import OVERDUE, SweepError
from functions.store.sweep import BusyError, Sweep, Swept


class Context:
    def get_remaining_time_in_millis(self):
        return 900_000


def lines(caplog):
    return [record for record in caplog.records if record.message == "sweep"]


async def test_it_sweeps_once_a_week_and_tells_in_one_line_what_it_found(cloud, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(2):
        await sweep_handler._sweep(840)
    (line,) = lines(caplog)
    assert (line.sweep_finished, line.sweep_failed, line.swept_rows) == (1, 0, 0)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("began", "finished", "failed", "fails"),
    [
        (-OVERDUE - 60, None, 0, "two weeks"),
        (-OVERDUE + 60, None, 0, None),
        (0, 60, 2, "2 deleted threads"),
        (-OVERDUE - 60, -OVERDUE, 2, None),
    ],
    ids=["takes too long", "goes on", "leaves something", "was told before"],
)
def test_what_somebody_has_to_look_at_is_an_error_of_the_function(
    monkeypatch, began, finished, failed, fails
):
    given, now = [], time.time()
    ended = None if finished is None else now + finished
    swept = Swept(began=now + began, finished=ended, failed=failed)

    async def run(self, seconds, *, again_after):
        given.append((seconds, again_after))
        return swept

    monkeypatch.setattr(Sweep, "run", run)
    if fails:
        with pytest.raises(SweepError, match=fails):
            sweep_handler.handler({}, Context())
    else:
        sweep_handler.handler({}, Context())
    assert given == [(840, 7 * 24 * 3600)]


async def test_an_invocation_beside_another_one_does_nothing(cloud, monkeypatch, caplog):
    async def busy(*_, **__):
        raise BusyError

    monkeypatch.setattr(Sweep, "run", busy)
    await sweep_handler._sweep(840)
    assert lines(caplog) == []
