"""The host and its user over HTTP."""

import asyncio
from typing import Any

import pytest

from desktop_controller.application.commands.change_host_state import ChangeHostState
from desktop_controller.domain.models.host import HostEvent
from neuroglia.mediation import Mediator
from neuroglia.testing import RunningService, running
from tests.desktop_controller.builders import API, COMMANDS, SLEEP, ends, started, submit, submit_and_start
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost, Running
from tests.desktop_controller.lives import Lives
from tests.support.hostile import HOSTILE
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

INFO = f"{API}/host/info"
USER = f"{API}/user/info"
HOST_BODY = {"desktop_id": "d-1", "desktop_name": "Front desk", "host_ip_address": "10.0.0.7"}
MANY_RIVALS = 12
"""More than the pipeline has tries."""
USER_BODY = {"candidate_name": "Ada Lindqvist", "session_id": "s-1"}


async def make_ready(controller: RunningService) -> None:
    """The host is registered and ready."""

    await becomes(controller, "registration_requested")
    mediator = await controller.services.get(Mediator)
    for event in (HostEvent.IS_REGISTERED, HostEvent.IS_READY):
        await mediator.execute(ChangeHostState(event))


async def state(controller: RunningService) -> str:
    body: dict[str, Any] = (await controller.client.get(INFO)).json()
    return str(body["state"])


async def becomes(controller: RunningService, expected: str) -> None:
    async def is_so() -> bool:
        return await state(controller) == expected

    await eventually(is_so)


async def turn(controller: RunningService, host: FakeHost, verb: str, code: int) -> Any:
    """Locks or unlocks the host; its command ends with this code."""
    asking = asyncio.create_task(controller.client.post(f"{API}/host/{verb}"))
    found: list[Running] = []

    async def runs() -> bool:
        found[:] = [one for one in host.executor.begun if one.argv[0].endswith(f"/{verb}") and not one.ended.done()]
        return bool(found)

    await eventually(runs)
    found[0].ended.set_result(code)
    return await asking


async def test_a_host_is_there_from_the_first_moment_on(controller: RunningService) -> None:
    body = (await controller.when("GET", INFO)).then(200, {"desktop_id": "desk-7", "is_locked": False}).body

    assert set(body) == {
        "desktop_id", "desktop_name", "host_ip_address", "state", "is_locked", "created_at", "last_modified",
        "version",
    }  # fmt: skip
    assert body["state"] in {"pending", "registration_requested"}


async def test_given_what_it_is_called_then_that_is_shown(controller: RunningService) -> None:
    before = (await controller.when("GET", INFO)).body

    (await controller.when("PUT", INFO, json=HOST_BODY)).then(200, {**HOST_BODY, "state": before["state"]})

    shown = (await controller.when("GET", INFO)).then(200, {**HOST_BODY, "created_at": before["created_at"]})
    assert shown.body["last_modified"] > before["last_modified"]


async def test_given_a_second_description_then_all_of_it_is_replaced(controller: RunningService) -> None:
    await controller.when("PUT", INFO, json=HOST_BODY)

    answer = await controller.when("PUT", INFO, json={"desktop_id": "d-2", "desktop_name": "Back desk"})

    answer.then(200, {"desktop_id": "d-2", "desktop_name": "Back desk", "host_ip_address": None})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("desktop_id", ""), ("desktop_id", None), ("desktop_id", 7), ("desktop_id", "x" * 65), ("desktop_id", "a\nb"),
        ("desktop_name", " "), ("desktop_name", "x" * 101), ("desktop_name", "a\0b"), ("desktop_name", ["a"]),
        ("host_ip_address", "x"), ("host_ip_address", "10.0.0.256"), ("host_ip_address", "10.0.0.1; id"),
        ("state", "ready"), ("is_locked", False), ("created_at", "2025-01-01T00:00:00Z"), ("version", 7),
    ],
    ids=str,
)  # fmt: skip
async def test_given_values_that_are_not_for_the_caller_to_say_or_none_at_all_then_it_is_422(
    controller: RunningService, field: str, value: object
) -> None:
    refusal = await controller.when("PUT", INFO, json={**HOST_BODY, field: value})

    refusal.then_refused(422, "invalid-request")
    assert [error["pointer"] for error in refusal.body["errors"]] == [f"/{field}"]


async def test_given_many_descriptions_at_once_then_each_is_made_on_what_is_there(controller: RunningService) -> None:
    bodies = [{**HOST_BODY, "desktop_name": f"Desk {number}"} for number in range(10)]

    answers = await asyncio.gather(*(controller.client.put(INFO, json=body) for body in bodies))

    assert {answer.status_code for answer in answers} == {200}
    assert (await controller.when("GET", INFO)).body["desktop_name"] in {body["desktop_name"] for body in bodies}


async def test_given_a_description_and_a_lock_at_once_then_neither_is_lost(
    controller: RunningService, host: FakeHost
) -> None:
    locking = asyncio.create_task(turn(controller, host, "lock", 0))

    described = await asyncio.gather(*(controller.client.put(INFO, json=HOST_BODY) for _ in range(5)))

    assert {answer.status_code for answer in described} | {(await locking).status_code} == {200}
    (await controller.when("GET", INFO)).then(200, {**HOST_BODY, "is_locked": True})


async def test_given_others_who_write_all_the_time_when_the_host_is_locked_then_it_is_noted_all_the_same(
    controller: RunningService, host: FakeHost
) -> None:
    await becomes(controller, "registration_requested")
    host.store.rivals = MANY_RIVALS

    locked = await turn(controller, host, "lock", 0)

    assert (locked.status_code, locked.json()["is_locked"], host.store.rivals) == (200, True, 0)


async def test_given_others_who_write_all_the_time_then_the_controller_goes_on_telling_the_host_what_happens(
    host: FakeHost,
) -> None:
    host.store.rivals = MANY_RIVALS
    async with running(builder_on(host).build()) as controller:
        await make_ready(controller)
        host.store.rivals = MANY_RIVALS

        program = await submit_and_start(controller, host, SLEEP)
        await becomes(controller, "busy")
        program.ended.set_result(0)

        await becomes(controller, "ready")


async def test_given_a_lock_command_that_succeeds_then_the_host_is_locked_until_it_is_unlocked(
    controller: RunningService, host: FakeHost
) -> None:
    await make_ready(controller)

    locked = await turn(controller, host, "lock", 0)

    assert (locked.status_code, locked.json()["state"], locked.json()["is_locked"]) == (200, "locked", True)
    unlocked = await turn(controller, host, "unlock", 0)
    assert (unlocked.status_code, unlocked.json()["is_locked"]) == (200, False)
    await becomes(controller, "ready")


@pytest.mark.parametrize("verb", ["lock", "unlock"])
async def test_given_a_command_that_fails_then_the_host_is_as_before_and_it_is_409(
    controller: RunningService, host: FakeHost, verb: str
) -> None:
    if verb == "unlock":
        await turn(controller, host, "lock", 0)

    answer = await turn(controller, host, verb, 1)

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:neuroglia:desktop-controller:lock-failed")
    assert answer.json()["detail"].startswith("The command that does this ended as failed: see ")
    (await controller.when("GET", INFO)).then(200, {"is_locked": verb == "unlock"})


async def test_given_a_locked_host_when_it_is_locked_again_then_the_command_runs_and_it_can_be_unlocked(
    controller: RunningService, host: FakeHost
) -> None:
    for verb in ("lock", "lock", "unlock", "unlock"):
        answer = await turn(controller, host, verb, 0)
        assert (answer.status_code, answer.json()["is_locked"]) == (200, verb == "lock")

    assert [one.argv for one in host.executor.begun] == [["/usr/bin/lock"]] * 2 + [["/usr/bin/unlock"]] * 2


async def test_given_as_many_commands_as_may_wait_then_the_host_is_locked_and_unlocked_all_the_same(
    host: FakeHost,
) -> None:
    async with running(builder_on(host, max_concurrent_commands=1, max_waiting_commands=1).build()) as controller:
        program = await submit_and_start(controller, host, SLEEP)
        waiting = await submit(controller, SLEEP)
        (await controller.when("POST", COMMANDS, json=SLEEP)).then_refused(429, "too-many-requests")

        for verb in ("lock", "unlock"):
            answer = await turn(controller, host, verb, 0)
            assert (answer.status_code, answer.json()["is_locked"]) == (200, verb == "lock")

        program.ended.set_result(0)
        (await started(host, waiting)).ended.set_result(0)


async def test_given_a_lock_and_an_unlock_at_once_then_the_second_begins_when_the_first_is_noted(
    controller: RunningService, host: FakeHost
) -> None:
    await becomes(controller, "registration_requested")
    locking = asyncio.create_task(controller.client.post(f"{API}/host/lock"))

    async def runs() -> bool:
        return bool(host.executor.begun)

    await eventually(runs)
    unlocking = asyncio.create_task(controller.client.post(f"{API}/host/unlock"))
    host.store.rivals = MANY_RIVALS
    host.executor.begun[0].ended.set_result(0)

    async def unlocks() -> bool:
        return len(host.executor.begun) == 2

    await eventually(unlocks)
    assert host.store.values["host"]["is_locked"] is True
    host.executor.begun[1].ended.set_result(0)
    assert ((await locking).status_code, (await unlocking).json()["is_locked"]) == (200, False)
    (await controller.when("GET", INFO)).then(200, {"is_locked": False})


async def test_given_no_such_command_in_the_catalogue_then_it_is_409_and_nothing_is_run(host: FakeHost) -> None:
    async with running(builder_on(host, lock_command="seal", unlock_command="").build()) as controller:
        for verb in ("lock", "unlock"):
            (await controller.when("POST", f"{API}/host/{verb}")).then_refused(409, "lock-not-configured")
    assert host.executor.begun == []


async def test_given_a_locked_host_when_the_controller_starts_again_then_it_is_locked_and_can_be_unlocked() -> None:
    lives = Lives()
    async with lives.life() as controller:
        await turn(controller, lives.host, "lock", 0)

    async with lives.life() as controller:
        assert await state(controller) == "locked"
        assert (await turn(controller, lives.host, "unlock", 0)).json()["is_locked"] is False


async def test_given_a_ready_host_when_commands_run_then_it_is_busy_until_the_last_one_ends(
    controller: RunningService, host: FakeHost
) -> None:
    await make_ready(controller)
    programs = [await submit_and_start(controller, host, SLEEP) for _ in range(2)]
    await becomes(controller, "busy")

    programs[0].ended.set_result(0)
    await ends(controller, programs[0].command_id)
    assert await state(controller) == "busy"
    programs[1].ended.set_result(1)
    await ends(controller, programs[1].command_id)

    await becomes(controller, "ready")


async def test_given_a_disk_that_is_full_then_commands_run_all_the_same(
    controller: RunningService, host: FakeHost
) -> None:
    host.store.full = True

    program = await submit_and_start(controller, host, SLEEP)
    program.ended.set_result(0)

    (await ends(controller, program.command_id)).then(200, {"status": "succeeded"})
    host.store.full = False


async def test_given_nobody_who_was_named_then_there_is_no_user(controller: RunningService) -> None:
    (await controller.when("GET", USER)).then_refused(404, "not-found")


async def test_given_a_user_then_they_are_shown_and_replaced_as_a_whole(controller: RunningService) -> None:
    (await controller.when("PUT", USER, json=USER_BODY)).then(200, USER_BODY)
    (await controller.when("GET", USER)).then(200, USER_BODY)

    (await controller.when("PUT", USER, json={"candidate_name": "Grace"})).then(200)

    body = (await controller.when("GET", USER)).then(200).body
    assert set(body) == {"candidate_name", "session_id", "last_modified", "version"}
    assert (body["candidate_name"], body["session_id"]) == ("Grace", None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("candidate_name", ""), ("candidate_name", None), ("candidate_name", "a\x1bb"), ("candidate_name", "x" * 101),
     ("session_id", ""), ("session_id", 1), ("session_id", "x" * 65), ("role", "admin")],
    ids=str,
)  # fmt: skip
async def test_given_no_user_at_all_then_it_is_422(controller: RunningService, field: str, value: object) -> None:
    refusal = await controller.when("PUT", USER, json={**USER_BODY, field: value})

    refusal.then_refused(422, "invalid-request")
    assert [error["pointer"] for error in refusal.body["errors"]] == [f"/{field}"]


@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if text.isprintable()])
async def test_given_hostile_text_then_it_comes_back_as_it_was(controller: RunningService, text: str) -> None:
    (await controller.when("PUT", USER, json={"candidate_name": text})).then(200, {"candidate_name": text})
    (await controller.when("PUT", INFO, json={**HOST_BODY, "desktop_name": text})).then(200, {"desktop_name": text})


@pytest.mark.parametrize(("path", "body"), [(INFO, HOST_BODY), (USER, USER_BODY)])
async def test_given_a_version_that_is_not_the_present_one_then_it_is_412_and_nothing_changes(
    controller: RunningService, path: str, body: dict[str, str]
) -> None:
    await becomes(controller, "registration_requested")
    (await controller.when("PUT", path, json=body)).then(200)
    shown = await controller.when("GET", path)
    etag = shown.response.headers["etag"]

    (await controller.when("PUT", path, json=body, headers={"If-Match": '"99"'})).then_refused(
        412, "precondition-failed"
    )
    assert (await controller.when("GET", path)).body == shown.body
    again = (await controller.when("PUT", path, json=body, headers={"If-Match": etag})).then(200)

    assert (etag, again.response.headers["etag"]) == tuple(f'"{shown.body["version"] + more}"' for more in (0, 1))
    (await controller.when("PUT", path, json=body, headers={"If-Match": etag})).then_refused(412, "precondition-failed")


async def test_what_is_kept_survives_a_restart() -> None:
    lives = Lives()
    async with lives.life() as controller:
        (await controller.when("PUT", USER, json=USER_BODY)).then(200)
        (await controller.when("PUT", INFO, json=HOST_BODY)).then(200)

    async with lives.life() as controller:
        (await controller.when("GET", USER)).then(200, USER_BODY)
        (await controller.when("GET", INFO)).then(200, HOST_BODY)
