"""The admin API of jobs, and of what stands in other queues; over a service without events."""

from datetime import timedelta
from typing import Any

import pytest

from neuroglia.documents import Session, WorkItem, WorkState
from neuroglia.scheduling.triggers import Triggers
from tests.framework.scheduling.chores import Order
from tests.framework.scheduling.world import ITEMS, JOBS, Office
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

FAILURE = ZeroDivisionError()


async def get(office: Office, path: str = "", **parameters: Any) -> Any:
    answer = await office.service.client.get(JOBS + path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(office: Office, path: str, status: int = 202, json: Any = None) -> Any:
    answer = await office.service.client.post(JOBS + path, json=json)
    assert answer.status_code == status, answer.text
    return answer.json()


async def dead(office: Office, name: str) -> str:
    office.script.failures[name] = [FAILURE] * 4
    id = await office.send(Order(name))
    for attempt in range(1, 4):
        await office.becomes(id, WorkState.WAITING, attempts=attempt)
        office.later(minutes=1)
    await office.becomes(id, WorkState.PARKED)
    return str(id)


async def test_a_service_without_events_is_ready_and_has_the_operations_that_it_can_have(office: Office) -> None:
    ready = (await office.service.client.get("/health/ready")).json()
    assert (ready["status"], ready["subscriptions"]) == ("ready", [])
    assert (await office.service.client.get("/api/v1/operations/events")).status_code == 404
    assert (await office.service.client.get("/api/v1/operations/subscriptions")).status_code == 404
    assert await get(office) == {"items": [], "next_cursor": None}


async def test_the_first_of_each_unfinished_state_are_shown_and_one_state_page_by_page(office: Office) -> None:
    waiting = [await office.send(Order(f"l{n}", after=timedelta(hours=n + 1))) for n in range(5)]
    await office.becomes(await office.send(Order("done")), WorkState.DONE)
    parked = await dead(office, "dead")

    assert [job["id"] for job in (await get(office))["items"]] == [parked, *waiting]

    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await get(office, state="waiting", limit=2, **after)
        assert len(page["items"]) <= 2
        found += [job["id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        after = {"after": page["next_cursor"]}
    assert found == waiting
    foreign = await office.service.client.get(JOBS, params={"state": "done", **after})
    assert foreign.status_code == 400
    assert len((await get(office, state="done"))["items"]) == 1


async def test_given_a_dead_job_when_its_cause_is_mended_and_it_is_retried_then_it_has_all_its_attempts_again(
    office: Office,
) -> None:
    id = await dead(office, "a")
    assert (await get(office, f"/{id}"))["error"] == "ZeroDivisionError"
    office.script.failures["a"] = [FAILURE]
    before = len(office.script.contexts)

    assert (await post(office, f"/{id}/retry"))["state"] == "waiting"

    await office.becomes(id, WorkState.WAITING, attempts=1)
    office.later(minutes=1)
    await office.becomes(id, WorkState.DONE)
    assert [info.attempt for info in office.script.jobs[before:]] == [1, 2]
    assert len({context.command_id for context in office.script.contexts}) == 1
    assert (await post(office, f"/{id}/retry", 409))["type"].endswith(":not-revivable")


async def test_given_a_job_that_waits_when_cancelled_then_it_never_runs_and_its_key_stays_known(
    office: Office,
) -> None:
    id = await office.send(Order("a", key="k", after=timedelta(hours=1)))

    assert (await post(office, f"/{id}/cancel"))["state"] == "discarded"

    office.later(hours=2)
    await office.becomes(await office.send(Order("b")), WorkState.DONE)
    assert await office.send(Order("a", key="k")) == id
    assert (await office.letter("a"), (await office.job(id)).attempts) == (None, 0)
    assert (await post(office, f"/{id}/cancel", 409))["type"].endswith(":not-cancellable")
    await post(office, f"/{id}/retry")
    await office.becomes(id, WorkState.DONE)


async def test_given_a_job_that_runs_when_cancelled_then_nothing_of_it_is_stored(office: Office) -> None:
    office.script.release.clear()
    id = await office.send(Order("a"))
    await office.script.entered.wait()

    await post(office, f"/{id}/cancel")
    office.script.release.set()

    await office.becomes(await office.send(Order("b")), WorkState.DONE)
    assert (await office.job(id)).state is WorkState.DISCARDED
    assert await office.letter("a") is None


async def test_a_task_is_run_by_hand_and_the_same_key_means_the_same_job(office: Office) -> None:
    body = {"task": "write-letter", "arguments": {"letter_id": "a", "text": "Sir"}, "key": "k"}

    first, second = await post(office, "", json=body), await post(office, "", json=body)

    assert first["id"] == second["id"]
    await office.becomes(first["id"], WorkState.DONE)
    letter = await office.letter("a")
    assert letter is not None
    assert (letter.text, letter.times) == ("Sir", 1)
    by_hand = await post(office, "", json={"task": "look-round"})
    await office.becomes(by_hand["id"], WorkState.DONE)


async def test_what_cannot_be_run_is_refused(office: Office) -> None:
    assert (await post(office, "", 404, json={"task": "nobody"}))["type"].endswith(":not-found")
    refusal = await post(office, "", 422, json={"task": "write-letter", "arguments": {"text": 5}})
    assert [error["pointer"] for error in refusal["errors"]] == ["/arguments/letter_id", "/arguments/text"]
    for path in ("/nobody/retry", "/nobody/cancel"):
        await post(office, path, 404)


async def test_given_what_is_parked_in_the_outbox_then_it_is_seen_and_a_retry_revives_its_whole_sequence(
    office: Office,
) -> None:
    session = Session(await office.store())
    for number, subject in enumerate(["s", "s", "t"]):
        session.save(
            ITEMS,
            WorkItem(
                id=f"event-{number}", queue="outbox", group=subject, number=number, state=WorkState.PARKED,
                due=office.clock.now(), attempts=3, error="Refused" if number != 1 else None,
            ),
        )  # fmt: skip
    await session.commit()
    assert [item["id"] for item in (await get(office, queue="outbox"))["items"]] == ["event-0", "event-1", "event-2"]
    assert (await get(office))["items"] == []

    await post(office, "/event-0/retry")

    states = {item["id"]: (item["state"], item["attempts"]) for item in (await get(office, queue="outbox"))["items"]}
    assert states == {"event-0": ("waiting", 0), "event-1": ("waiting", 0), "event-2": ("parked", 3)}
    await post(office, "/event-2/cancel", 409)


async def test_what_a_subscription_has_parked_is_left_to_its_own_replay(office: Office) -> None:
    session = Session(await office.store())
    session.save(ITEMS, WorkItem(id="e", queue="SomeProjection", state=WorkState.PARKED, due=office.clock.now()))
    await session.commit()

    assert (await post(office, "/e/retry", 409))["type"].endswith(":not-revivable")


async def test_a_stranger_sees_nothing(office: Office) -> None:
    header = office.service.tokens.bearer(["letters:read"])
    for method, path in (("GET", ""), ("GET", "/x"), ("POST", ""), ("POST", "/x/retry"), ("POST", "/x/cancel")):
        answer = await office.service.client.request(method, JOBS + path, headers=header)
        assert answer.status_code == 403


async def test_given_a_worker_that_has_died_then_the_service_is_not_ready(office: Office) -> None:
    clock = await office.service.services.get(Triggers)
    (task,) = clock._tasks
    task.cancel()

    async def unavailable() -> bool:
        return (await office.service.client.get("/health/ready")).status_code == 503

    await eventually(unavailable)
