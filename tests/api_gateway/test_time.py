"""What time brings about: expiry, giving up, and the sweep that finds what was forgotten."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from api_gateway.integration.ports import CallbackFailed, GenAiUnclear
from neuroglia.documents import Documents, Session, WorkItem, WorkState
from neuroglia.scheduling.triggers import Triggers
from neuroglia.scheduling.workers import JobWorkers
from neuroglia.testing import FixedClock, RunningService, running
from tests.api_gateway.callers import CALLBACK, Caller, admin, caller
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

PATIENCE = timedelta(minutes=15)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def gateway(outside: Outside, clock: FixedClock) -> AsyncIterator[RunningService]:
    outside.genai.answers_later = True
    async with running(builder_on(outside, clock=clock).build()) as service:
        yield service


async def pass_by(gateway: RunningService, clock: FixedClock, time: timedelta) -> None:
    clock.advance(time)
    (await gateway.services.get(JobWorkers)).wake()


async def submitted(gateway: RunningService, **fields: Any) -> tuple[Caller, str]:
    acme = await caller(gateway)
    id = str((await acme.send(**fields))["id"])
    await acme.sees(id, "submitted")
    return acme, id


async def test_given_no_answer_in_time_then_it_faults(gateway: RunningService, clock: FixedClock) -> None:
    acme, id = await submitted(gateway)
    await pass_by(gateway, clock, PATIENCE)

    done = await acme.sees(id, "faulted")

    assert (done["error"]["code"], done["is_final"]) == ("expired", True)


async def test_given_an_unclear_submission_then_that_is_why_it_faults(
    gateway: RunningService, outside: Outside, clock: FixedClock
) -> None:
    outside.genai.answers = [GenAiUnclear("timeout")]
    acme, id = await submitted(gateway)
    await pass_by(gateway, clock, PATIENCE)

    assert (await acme.sees(id, "faulted"))["error"]["code"] == "submission-unclear"


async def test_given_a_retry_then_it_has_as_much_time_again(gateway: RunningService, clock: FixedClock) -> None:
    acme, id = await submitted(gateway)
    await pass_by(gateway, clock, PATIENCE)
    first = await acme.sees(id, "faulted")

    await admin(gateway, "POST", f"/prompts/{id}/retry", 202)
    again = await acme.sees(id, "submitted")
    await pass_by(gateway, clock, PATIENCE)
    await acme.sees(id, "faulted")

    assert (again["attempts"], again["expires_at"] > first["expires_at"]) == (2, True)


async def test_given_a_caller_who_is_never_there_then_it_is_given_up(
    outside: Outside, gateway: RunningService, clock: FixedClock
) -> None:
    outside.genai.answers_later = False
    outside.callbacks.failures = [CallbackFailed(f"the {n}th time") for n in range(1, 11)]
    acme = await caller(gateway)
    id = (await acme.send(callback_url=CALLBACK))["id"]
    for attempts in range(1, 10):

        async def tried(attempts: int = attempts) -> bool:
            return len(outside.callbacks.attempts) == attempts and await waits(gateway, "call-back")

        await eventually(tried)
        await pass_by(gateway, clock, timedelta(minutes=6))

    done = await acme.sees(id, "faulted")

    assert outside.callbacks.attempts == [*range(1, 11)]
    assert (done["error"], done["response"] is not None) == (
        {"code": "callback-failed", "detail": "the 10th time"}, True,
    )  # fmt: skip


async def waits(gateway: RunningService, task: str, *states: WorkState) -> bool:
    """Whether a job of this task waits for its time, or is in one of these states."""
    states = states or (WorkState.WAITING,)
    async with gateway.services.create_scope() as scope:
        items = await (await scope.get(Documents[WorkItem])).find(limit=200)
    return any(item.body.get("task") == task and item.state in states for item in items.items)


async def sweep(gateway: RunningService) -> None:
    """Its time has come; returns when it is done."""
    await (await gateway.services.get(Triggers)).fire("sweep-prompts")
    (await gateway.services.get(JobWorkers)).wake()

    async def done() -> bool:
        return not await waits(gateway, "sweep-prompts", WorkState.WAITING, WorkState.RUNNING)

    await eventually(done)


async def test_given_a_job_that_is_no_more_then_the_sweep_resumes_the_prompt(
    gateway: RunningService, outside: Outside, clock: FixedClock
) -> None:
    outside.packages.failures = [ValueError("a mistake of ours")]
    acme = await caller(gateway)
    id = (await acme.send(data_url="https://caller.example/data"))["id"]

    async def failed() -> bool:
        return await waits(gateway, "prepare-prompt") and (await acme.see(id))["status"] == "preparing"

    await eventually(failed)
    async with gateway.services.create_scope() as scope:  # somebody removes the job
        session, items = await scope.get(Session), await scope.get(Documents[WorkItem])
        for item in (await items.find(limit=200)).items:
            if item.body.get("task") == "prepare-prompt":
                await items.delete(item.id)
        await session.commit()

    await pass_by(gateway, clock, timedelta(minutes=4))
    await sweep(gateway)
    assert not await waits(gateway, "prepare-prompt")  # perhaps somebody is still at it
    await pass_by(gateway, clock, timedelta(minutes=2))
    await sweep(gateway)

    await acme.sees(id, "submitted")
