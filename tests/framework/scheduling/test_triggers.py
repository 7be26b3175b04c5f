"""Tasks that run at their times: each time once over all replicas, and what was missed as they say."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import NoneType
from typing import Any

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import Unavailable, format_utc
from neuroglia.core.codec import JsonCodec
from neuroglia.documents import DocumentStore, WorkState
from neuroglia.scheduling import triggers
from neuroglia.scheduling.jobs import Jobs
from neuroglia.scheduling.tasks import BackgroundTask, TaskType, TaskTypes, background_task
from neuroglia.scheduling.triggers import Times, Triggers, times_of
from neuroglia.scheduling.workers import JobWorkers
from neuroglia.testing import FixedClock
from tests.framework.scheduling.world import MEMORY, START, Office, office_on
from tests.support.waiting import eventually

SCHEDULES = st.one_of(
    st.integers(30, 3 * 86_400).map(lambda seconds: times(every=timedelta(seconds=seconds))),
    st.sampled_from(["*/7 * * * *", "30 4 * * mon-fri", "0 0 29 2 *", "* 9 1 * *"]).map(lambda cron: times(cron=cron)),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
BIN, ROUND = "empty-bin", "look-round"


def times(**options: Any) -> Times:
    @background_task("some", **options)
    class Some(BackgroundTask[None]):
        async def run(self, arguments: None) -> None: ...

    found = times_of(TaskType(Some, vars(Some)["__background_task__"], JsonCodec(NoneType)))
    assert found is not None
    return found


async def done(office: Office, count: int) -> None:
    async def so_many() -> bool:
        return len(await office.jobs(WorkState.DONE)) == count

    await eventually(so_many)


async def another(office: Office, clock: FixedClock | None = None) -> Triggers:
    """The clock of another replica."""
    services = office.service.services
    told = clock or office.clock
    return Triggers(
        await services.get(DocumentStore),
        told,
        await services.get(TaskTypes),
        Jobs(),
        await services.get(JobWorkers),
    )


async def test_given_a_task_that_is_seen_for_the_first_time_then_it_begins_with_its_next_time(office: Office) -> None:
    await office.fire(BIN, ROUND)
    office.later(minutes=3, seconds=59)
    await office.fire(BIN, ROUND)
    assert await office.jobs() == []

    office.later(seconds=1)
    await office.fire(BIN, ROUND)
    await office.fire(BIN, ROUND)

    assert await office.keys() == ["empty-bin@2025-01-31T09:35:00.000000Z"]
    await done(office, 1)  # else its lease runs out with the next step of the clock
    office.later(minutes=5)
    await office.fire(BIN, ROUND)
    assert await office.keys() == [
        "empty-bin@2025-01-31T09:35:00.000000Z", "empty-bin@2025-01-31T09:40:00.000000Z",
        "look-round@2025-01-31T09:40:00.000000Z",
    ]  # fmt: skip
    await done(office, 3)
    assert sorted(office.script.times) == [datetime(2025, 1, 31, 9, minute, tzinfo=UTC) for minute in (35, 40)]


async def test_given_several_times_that_were_missed_then_each_is_made_up_for_unless_one_is_enough(
    office: Office,
) -> None:
    await office.fire(BIN, ROUND)
    office.later(minutes=31)  # 10:02

    await office.fire(BIN, ROUND)

    made_up = [
        f"empty-bin@2025-01-31T{time}:00.000000Z" for time in ("09:35", "09:40", "09:45", "09:50", "09:55", "10:00")
    ]
    assert await office.keys() == [*made_up, "look-round@2025-01-31T10:00:00.000000Z"]


async def test_given_times_that_were_missed_for_longer_than_the_grace_then_they_are_left_out_and_that_is_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.fire(BIN)
    office.later(days=1, minutes=1)

    with caplog.at_level(logging.WARNING, "neuroglia.scheduling"):
        await office.fire(BIN)
        await office.fire(BIN)

    assert len(await office.jobs()) == 12
    assert (await office.keys())[0] == "empty-bin@2025-02-01T08:35:00.000000Z"
    assert [(record.getMessage(), record.first) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("times missed", "2025-01-31T09:35:00.000000Z")
    ]


async def test_given_no_replica_for_a_year_then_the_last_time_is_found_at_once(office: Office) -> None:
    await office.fire(ROUND)
    office.later(days=365, minutes=1)

    await office.fire(ROUND)

    assert await office.keys() == ["look-round@2026-01-31T09:30:00.000000Z"]


async def test_given_a_restart_then_what_was_missed_meanwhile_is_made_up_for(url: str) -> None:
    if url == MEMORY:
        pytest.skip("nothing is left of it")
    clock = FixedClock(START)
    async with office_on(url, clock=clock) as office:
        await office.fire(BIN, ROUND)
    clock.advance(timedelta(minutes=20))

    async with office_on(url, clock=clock) as office:
        await done(office, 5)  # the start alone does it

    assert len(office.script.times) == 4


async def test_given_replicas_that_look_at_the_same_time_then_each_time_gives_one_job(office: Office) -> None:
    replicas = [await another(office) for _ in range(4)]
    await office.fire(BIN, ROUND)
    for _ in range(6):
        office.later(minutes=5)
        await asyncio.gather(*(replica.fire(name) for replica in replicas for name in (BIN, ROUND)))
        await done(office, len(await office.jobs()))  # else the leases run out with the next step of the clock

    expected = [f"empty-bin@{format_utc(START + timedelta(minutes=4 + 5 * n))}" for n in range(6)]
    assert [key for key in await office.keys() if key.startswith("empty")] == expected
    assert (len(await office.jobs()), len(office.script.times)) == (9, 6)


async def test_given_a_late_replica_when_the_job_is_long_forgotten_then_its_time_does_not_come_again(
    office: Office,
) -> None:
    slow = FixedClock(START + timedelta(minutes=5))
    late = await another(office, slow)
    await office.fire(BIN)
    office.later(minutes=5)
    await office.fire(BIN)
    await done(office, 1)
    office.later(days=3)
    await (await office.service.services.get(Triggers)).forget()
    assert await office.jobs() == []

    await late.fire(BIN)

    assert await office.jobs() == []


async def test_given_a_store_that_does_not_answer_then_the_clock_goes_on_when_it_does(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "_AGAIN_S", 0.01)
    await office.fire(BIN)
    office.later(minutes=5)
    clock, store = await office.service.services.get(Triggers), await office.store()
    get, failures = store.get, [Unavailable("down")] * 3

    async def fails(collection: str, key: str) -> object:
        if collection == "schedules" and failures:
            raise failures.pop()
        return await get(collection, key)

    monkeypatch.setattr(store, "get", fails)

    await clock._rung.put(BIN)

    await done(office, 1)
    assert clock.alive
    assert failures == []


@given(SCHEDULES, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_times_of_a_span_are_those_of_its_parts_wherever_it_is_cut(
    schedule: Times, begin: datetime, length: timedelta
) -> None:
    end, middle = begin + length / 50, begin + length / 77
    whole = [*schedule.between(begin, end)]

    assert [*schedule.between(begin, middle), *schedule.between(middle, end)] == whole
    assert all(earlier < later for earlier, later in pairwise(whole))
    for time in whole:  # whoever begins exactly there, or just before, means the same ones
        assert [*schedule.between(time, end)] == [other for other in whole if other > time]
        assert next(schedule.between(time - timedelta(microseconds=1), end)) == time


@given(SCHEDULES, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_last_time_of_a_span_is_the_last_of_all(schedule: Times, begin: datetime, length: timedelta) -> None:
    end = begin + length / 50

    assert [*schedule.last(begin, end)] == [*schedule.between(begin, end)][-1:]
