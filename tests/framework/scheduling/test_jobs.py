"""Jobs: enqueued in the transaction of what needs them, done once, tried again, dead, and unique by their keys."""

import asyncio
from datetime import timedelta

import pytest

from neuroglia.core import ConcurrencyError, Principal, RequestContext, Unavailable, derived_id, lifecycle
from neuroglia.documents import DocumentType, Session, WorkState
from neuroglia.scheduling import BackgroundTasks
from neuroglia.scheduling.triggers import Triggers
from tests.framework.scheduling.chores import Letter, NobodyThere, Order, Script, WriteLetter, Writing
from tests.framework.scheduling.world import Office, office_on
from tests.support.waiting import eventually

FAILURE = ZeroDivisionError()
LETTERS = DocumentType(Letter)


async def test_given_a_command_that_enqueues_then_the_job_is_done_once_and_kept(office: Office) -> None:
    id = await office.send(Order("a"))

    job = await office.becomes(id, WorkState.DONE)

    assert (job.attempts, job.error, len(office.script.jobs)) == (1, None, 1)
    assert await office.letter("a") == Letter(id="a", text="Dear", times=1)
    assert office.script.jobs[0].attempt == 1


async def test_given_a_command_that_fails_then_it_leaves_no_job(office: Office) -> None:
    with pytest.raises(NobodyThere):
        await office.send(Order("a", fails=True))

    assert await office.jobs() == []
    assert await office.letter("order of a") is None


async def test_given_a_commit_that_loses_its_race_then_it_leaves_no_job(office: Office) -> None:
    async with office.service.services.create_scope() as scope:
        session, tasks = await scope.get(Session), await scope.get(BackgroundTasks)
        await tasks.enqueue(WriteLetter, Writing("a"))
        rival = Session(await office.store())
        rival.save(LETTERS, Letter(id="contested", text="first"))
        await rival.commit()
        session.save(LETTERS, Letter(id="contested", text="second"))
        with pytest.raises(ConcurrencyError):
            await session.commit()

    assert await office.jobs() == []


async def test_given_a_job_for_later_then_it_waits_for_its_time(office: Office) -> None:
    id = await office.send(Order("later", after=timedelta(hours=1)))
    await office.becomes(await office.send(Order("now")), WorkState.DONE)
    assert (await office.job(id)).state is WorkState.WAITING

    office.later(hours=1)

    await office.becomes(id, WorkState.DONE)


async def test_given_a_job_then_it_runs_as_its_task_and_in_the_context_of_who_enqueued_it(office: Office) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    context = RequestContext(correlation_id="mine", causation_id="cause", traceparent=trace, principal=Principal("ada"))
    office.script.failures["a"] = [FAILURE]

    id = await office.send(Order("a"), context)
    await office.becomes(id, WorkState.WAITING, attempts=1)
    office.later(minutes=1)
    await office.becomes(id, WorkState.DONE)

    first, second = office.script.contexts
    assert (first.correlation_id, first.causation_id, first.traceparent) == ("mine", "cause", trace)
    assert first.principal == Principal.system("write-letter")
    assert first.command_id == second.command_id == derived_id("jobs", id)


async def test_given_a_scope_whose_end_meets_a_cancelled_task_then_that_is_a_failed_attempt(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def aclose(self: WriteLetter) -> None:
        beating = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        beating.cancel()
        await beating

    monkeypatch.setattr(WriteLetter, "aclose", aclose, raising=False)
    async with office_on(url) as office:
        office.script.failures["a"] = [FAILURE]

        id = await office.send(Order("a"))

        job = await office.becomes(id, WorkState.WAITING, attempts=1)
        assert job.error == "HandlerCancelled"


async def test_given_the_same_key_twice_then_there_is_one_job_and_both_get_its_id(office: Office) -> None:
    office.script.release.clear()
    ids = [await office.send(Order("a", key="k")), await office.send(Order("b", key="k"))]
    office.script.release.set()
    await office.becomes(ids[0], WorkState.DONE)

    ids.append(await office.send(Order("c", key="k")))

    assert len(set(ids)) == len(await office.jobs()) == len(office.script.jobs) == 1
    assert [letter and letter.times for letter in [await office.letter("a"), await office.letter("b")]] == [1, None]


async def test_given_the_same_key_at_the_same_time_then_there_is_one_job(office: Office) -> None:
    ids = await asyncio.gather(*(office.send(Order(str(number), key="k")) for number in range(8)))

    assert len(set(ids)) == 1
    await office.becomes(ids[0], WorkState.DONE)
    assert len(office.script.jobs) == 1


async def test_given_a_job_that_was_kept_long_enough_then_it_is_removed_and_its_key_is_free(office: Office) -> None:
    triggers = await office.service.services.get(Triggers)
    await office.becomes(await office.send(Order("a", key="k")), WorkState.DONE)
    waiting = await office.send(Order("b", after=timedelta(days=30)))
    office.later(hours=23)
    await triggers.forget()
    assert len(await office.jobs()) == 2

    office.later(hours=2)
    await triggers.forget()

    assert [job.id for job in await office.jobs()] == [waiting]
    await office.becomes(await office.send(Order("a", key="k")), WorkState.DONE)
    assert len(office.script.jobs) == 2


async def test_given_a_task_that_fails_then_it_is_tried_again_later_and_later_and_is_dead_after_its_last_attempt(
    office: Office,
) -> None:
    office.script.failures["a"] = [FAILURE] * 4
    id = await office.send(Order("a"))
    for attempt, (least, most) in enumerate([(10, 20), (20, 25), (25, 25)], start=1):
        job = await office.becomes(id, WorkState.WAITING, attempts=attempt)
        pause = (job.due - office.clock.now()).total_seconds()
        assert least <= pause <= most
        assert job.error == "ZeroDivisionError"
        office.later(seconds=pause - 0.001)
        await office.becomes(await office.send(Order(f"proof {attempt}")), WorkState.DONE)
        assert (await office.job(id)).attempts == attempt
        office.later(seconds=0.001)

    job = await office.becomes(id, WorkState.PARKED)

    assert (job.attempts, job.error) == (4, "ZeroDivisionError")
    told = [(info.attempt, info.last) for info in office.script.jobs if info.id == id]
    assert told == [(1, False), (2, False), (3, False), (4, True)]
    assert await office.letter("a") is None


async def test_given_a_service_that_is_down_then_the_job_waits_and_that_does_not_count(office: Office) -> None:
    office.script.failures["a"] = [Unavailable("it is down", retry_after=60)] * 6
    id = await office.send(Order("a"))
    for waits in range(1, 7):

        async def waited(so_often: int = waits) -> bool:
            return (await office.job(id)).waits == so_often

        await eventually(waited)
        office.later(minutes=2)

    job = await office.becomes(id, WorkState.DONE)

    assert (job.attempts, job.waits) == (1, 6)
    assert {info.attempt for info in office.script.jobs} == {1}


async def test_given_a_task_that_refuses_then_that_is_the_answer_and_nothing_of_it_is_stored(office: Office) -> None:
    office.script.failures["a"] = [NobodyThere("gone")]

    job = await office.becomes(await office.send(Order("a")), WorkState.DONE)

    assert (job.error, await office.letter("a")) == ("nobody-there", None)


async def test_given_a_job_of_a_task_that_nobody_here_knows_then_it_waits_for_a_version_that_does(
    office: Office,
) -> None:
    id = await office.send(Order("a", after=timedelta(hours=1)))
    body = (await office.job(id)).body
    await office.change(id, body={**body, "task": "of-tomorrow"})
    office.later(hours=1)

    async def waited() -> bool:
        return (await office.job(id)).waits > 0

    await eventually(waited)
    job = await office.job(id)
    assert (job.state, job.attempts) == (WorkState.WAITING, 0)
    await office.change(id, body=body)
    office.later(hours=1)

    await office.becomes(id, WorkState.DONE)


async def test_given_arguments_that_do_not_fit_any_more_then_the_job_is_dead_at_once_and_says_why_and_others_flow(
    office: Office,
) -> None:
    id = await office.send(Order("secret", after=timedelta(hours=1)))
    await office.change(id, body={**(await office.job(id)).body, "arguments": {"letter": "secret", "text": 5}})
    office.later(hours=1)

    job = await office.becomes(id, WorkState.PARKED)

    assert job.error == "ArgumentsDoNotFit: /letter_id missing, /text string-type"
    await office.becomes(await office.send(Order("b")), WorkState.DONE)


async def test_given_a_job_that_kills_whoever_tries_it_then_it_is_parked(office: Office) -> None:
    id = await office.send(Order("a", after=timedelta(hours=1)))
    await office.change(id, attempts=4)  # counted by processes that did not live to tell how it failed
    office.later(hours=1)

    job = await office.becomes(id, WorkState.PARKED)

    assert (job.error, office.script.jobs) == ("ProcessDied", [])


async def test_given_a_stop_while_a_job_runs_then_it_is_handed_back_and_that_does_not_count(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ":memory:" in url:
        pytest.skip("nothing is left of it")
    monkeypatch.setattr(lifecycle, "_STOP_S", 0.1)
    script = Script()
    script.release.clear()
    async with office_on(url, script) as office:
        id = await office.send(Order("a"))
        await script.entered.wait()

    async with office_on(url) as office:  # at the same time by the clock: no lease has run out
        job = await office.becomes(id, WorkState.DONE)

    assert (job.attempts, job.waits) == (1, 1)
