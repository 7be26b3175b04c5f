"""Commands over HTTP: requested, run, finished, shown."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from desktop_controller.domain.events.host_commands import CommandStarted, CommandSucceeded
from desktop_controller.domain.models.host_command import HostCommand
from neuroglia.core import Unavailable
from neuroglia.event_sourcing import EventStore
from neuroglia.testing import RunningService, running
from tests.desktop_controller.builders import (
    COMMANDS,
    ECHO,
    IN_TIME,
    SLEEP,
    STARTED,
    SUCCEEDED,
    ends,
    requested,
    show,
    submit,
    submit_and_start,
)
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import NO_PROGRAM, SECRET, FakeHost, entry

pytestmark = pytest.mark.service

FIELDS = {
    "id", "command", "arguments", "status", "requested_by", "requested_at", "started_at", "finished_at", "exit_code",
    "stdout", "stderr", "output_bytes", "output_sha256", "truncated", "justification", "timeout_seconds", "reason",
}  # fmt: skip


async def test_a_command_is_accepted_and_can_be_followed_to_its_end(controller: RunningService, host: FakeHost) -> None:
    answer = await controller.client.post(COMMANDS, json={**ECHO, "justification": " because "})

    assert answer.status_code == 202
    body = answer.json()
    assert set(body) == FIELDS
    assert answer.headers["location"] == f"{COMMANDS}/{body['id']}"
    assert (body["status"], body["requested_by"], body["justification"]) == ("requested", "test", "because")
    end = await ends(controller, body["id"])
    end.then(200, {"status": "succeeded", "exit_code": 0, "stdout": "hi\n", "output_bytes": 3, "truncated": False})
    assert end.body["requested_at"] <= end.body["started_at"] <= end.body["finished_at"]
    assert host.executor.begun[0].argv == ["/usr/bin/echo", "hi"]


async def test_given_a_caller_who_waits_then_the_answer_is_the_end(controller: RunningService) -> None:
    answer = await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)

    answer.then(200, {"status": "succeeded"})
    assert answer.response.headers["preference-applied"] == "wait=10"
    assert [type(event) for event in answer.events][1:] == [CommandStarted, CommandSucceeded]


async def test_given_a_caller_who_waits_in_vain_then_it_is_202(controller: RunningService, host: FakeHost) -> None:
    answer = await controller.client.post(COMMANDS, json=SLEEP, headers={"Prefer": "wait=1"})

    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert "preference-applied" not in answer.headers


async def test_running_is_stored_before_the_process_is_there(controller: RunningService, host: FakeHost) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    (await show(controller, program.command_id)).then(200, {"status": "running", "finished_at": None})

    program.ended.set_result(0)
    (await ends(controller, program.command_id)).then(200, {"status": "succeeded"})


@pytest.mark.parametrize(
    ("code", "reason"), [(1, "Its exit code is 1."), (255, "Its exit code is 255."), (-9, "Signal 9 has ended it.")]
)
async def test_given_another_exit_code_than_0_then_it_failed_whatever_it_wrote(
    controller: RunningService, host: FakeHost, code: int, reason: str
) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    program.output.stderr(b"oh\n")
    program.ended.set_result(code)

    end = await ends(controller, program.command_id)
    end.then(200, {"status": "failed", "exit_code": code, "reason": reason, "stdout": "", "stderr": "oh\n"})


async def test_given_complaints_and_exit_code_0_then_it_succeeded(controller: RunningService, host: FakeHost) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    program.output.stderr(b"a warning\n")
    program.ended.set_result(0)

    (await ends(controller, program.command_id)).then(200, {"status": "succeeded", "stderr": "a warning\n"})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (NO_PROGRAM, "There is no program '/usr/bin/***'."),
        (Unavailable("The host does not answer."), "The host does not answer."),
        (ValueError("a fault"), "The controller failed while it ran."),
    ],
    ids=["no program", "no host", "a fault"],
)
async def test_given_a_program_that_cannot_run_then_it_failed_and_says_why(
    controller: RunningService, host: FakeHost, fault: Exception, reason: str
) -> None:
    host.executor.fails = fault

    answer = await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)

    answer.then(200, {"status": "failed", "exit_code": None, "reason": reason})


async def test_given_output_that_cannot_be_stored_then_it_failed_whatever_its_exit_code(
    controller: RunningService, host: FakeHost
) -> None:
    host.outputs.full = True

    answer = await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)

    answer.then(200, {"status": "failed", "reason": "Its output could not be stored.", "output_bytes": 0})


async def test_given_too_little_time_then_it_is_timed_out_and_killed(
    controller: RunningService, host: FakeHost
) -> None:
    answer = await controller.when("POST", COMMANDS, json={**SLEEP, "timeout_seconds": 0.05}, headers=IN_TIME)

    answer.then(200, {"status": "timed_out", "reason": "It took longer than 0.05 s.", "exit_code": None})
    assert [program.killed for program in host.executor.begun] == [True]


@pytest.mark.parametrize(("asked", "given"), [(None, 60.0), (1.5, 1.5), (60.0, 60.0), (1e9, 60.0)])
async def test_a_caller_can_only_shorten_the_time(
    controller: RunningService, asked: float | None, given: float
) -> None:
    answer = await controller.client.post(COMMANDS, json={**SLEEP, "timeout_seconds": asked})

    assert answer.json()["timeout_seconds"] == given


async def test_given_as_many_as_may_run_then_the_next_one_waits_for_its_turn(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=2).build()) as controller:
        first = await submit_and_start(controller, host, SLEEP)
        await submit_and_start(controller, host, SLEEP)
        third = await submit(controller, ECHO)

        (await show(controller, third)).then(200, {"status": "requested"})
        assert len(host.executor.begun) == 2

        first.ended.set_result(0)
        (await ends(controller, third)).then(200, {"status": "succeeded"})


async def test_given_as_many_as_may_wait_then_it_is_429_and_nothing_is_stored(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1, max_waiting_commands=1).build()) as controller:
        program = await submit_and_start(controller, host, SLEEP)
        waiting = await submit(controller, ECHO)
        await controller.settle()

        refusal = (await controller.when("POST", COMMANDS, json=ECHO)).then_refused(429, "too-many-requests")

        assert refusal.response.headers["retry-after"] == "5"
        program.ended.set_result(0)
        (await ends(controller, waiting)).then(200, {"status": "succeeded"})
        (await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)).then(200)


async def test_given_a_burst_then_no_more_are_taken_than_may_run_and_wait(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1, max_waiting_commands=2).build()) as controller:
        answers = await asyncio.gather(*(controller.client.post(COMMANDS, json=ECHO) for _ in range(20)))

        codes = sorted(answer.status_code for answer in answers)
        assert (codes[:3], codes[-1]) == ([202] * 3, 429)
        taken = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        for id_ in taken:
            (await ends(controller, id_)).then(200, {"status": "succeeded"})
        assert len(host.executor.begun) == len(taken)


async def test_given_a_burst_while_nothing_can_run_then_exactly_those_are_taken_that_may_wait(host: FakeHost) -> None:
    host.executor.reachable.clear()
    async with running(builder_on(host, max_concurrent_commands=1, max_waiting_commands=2).build()) as controller:
        answers = await asyncio.gather(*(controller.client.post(COMMANDS, json=ECHO) for _ in range(20)))

        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 17
        host.executor.reachable.set()
        for answer in answers:
            if answer.status_code == 202:
                await ends(controller, answer.json()["id"])
        (await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)).then(200)


async def test_given_a_catalogue_that_has_changed_meanwhile_then_the_command_is_rejected(
    controller: RunningService, host: FakeHost
) -> None:
    await controller.happened(HostCommand, "old", requested("gone"))

    (await ends(controller, "old")).then(
        200, {"status": "rejected", "reason": "The catalogue no longer allows it as it was requested."}
    )
    assert host.executor.begun == []


async def test_given_another_definition_of_the_same_name_then_the_command_is_rejected(
    controller: RunningService, host: FakeHost
) -> None:
    host.catalogue.allowed["sleep"] = replace(entry("sleep"), sha256="of another definition")

    await controller.happened(HostCommand, "old", requested("sleep"))

    (await ends(controller, "old")).then(200, {"status": "rejected"})
    assert host.executor.begun == []


async def test_given_the_same_key_twice_then_it_runs_once(controller: RunningService, host: FakeHost) -> None:
    key = {"Idempotency-Key": "k"}
    first = await submit(controller, ECHO, **key)
    await ends(controller, first)

    assert await submit(controller, ECHO, **key) == first
    await controller.settle()
    assert len(host.executor.begun) == 1


async def test_the_audit_trail_tells_every_step_and_belongs_to_the_request(controller: RunningService) -> None:
    headers = {**IN_TIME, "X-Correlation-ID": "case-7"}
    id_ = (await controller.when("POST", COMMANDS, json=ECHO, headers=headers)).then(200).body["id"]

    store = await controller.services.get(EventStore)
    trail = [event async for event in store.read(f"host_command-{id_}")]

    assert [event.type for event in trail] == [
        "desktop.command-requested.v1", "desktop.command-started.v1", "desktop.command-succeeded.v1"
    ]  # fmt: skip
    assert {event.correlation_id for event in trail} == {"case-7"}
    assert [event.actor for event in trail] == ["test", "system:command-runner", "system:command-runner"]
    assert {event.causation_id for event in trail[1:]} == {trail[0].id}


async def test_secrets_are_in_nothing_that_is_stored(controller: RunningService, host: FakeHost) -> None:
    justified = {**SLEEP, "justification": f"the password is {SECRET}"}
    program = await submit_and_start(controller, host, justified)
    program.output.stdout(f"password={SECRET}\n".encode())
    program.ended.set_result(0)

    end = await ends(controller, program.command_id)

    end.then(200, {"justification": "the password is ***", "stdout": "password=***\n"})
    store = await controller.services.get(EventStore)
    trail = [event async for event in store.read(f"host_command-{program.command_id}")]
    assert not [event for event in trail if SECRET.encode() in event.data]


async def test_commands_are_listed_newest_first_by_state_and_name(controller: RunningService) -> None:
    for id_, command in (("1", "echo"), ("2", "sleep"), ("3", "echo")):
        await controller.given(HostCommand, id_, requested(command, text="hi"), STARTED, SUCCEEDED)
    await controller.given(HostCommand, "4", requested("gone"))
    await ends(controller, "4")
    await controller.settle()

    async def listed(**parameters: Any) -> list[str]:
        body = (await controller.when("GET", COMMANDS, params=parameters)).then(200).body
        return [item["id"] for item in body["items"]]

    assert await listed() == ["4", "3", "2", "1"]
    assert await listed(command="echo") == ["3", "1"]
    assert await listed(status="succeeded") == ["3", "2", "1"]
    assert await listed(status="succeeded", command="sleep") == ["2"]
    assert await listed(status="rejected") == ["4"]
    assert await listed(command="nothing") == []
    first = (await controller.when("GET", COMMANDS, params={"limit": 3})).then(200).body
    assert await listed(limit=3, cursor=first["next_cursor"]) == ["1"]


async def test_a_list_shows_what_was_written_before(controller: RunningService) -> None:
    answer = await controller.client.post(COMMANDS, json=ECHO)

    position = {"X-Wait-For-Position": answer.headers["x-event-position"]}
    page = (await controller.client.get(COMMANDS, headers=position)).json()

    assert [item["id"] for item in page["items"]] == [answer.json()["id"]]


async def test_the_catalogue_tells_what_is_allowed(controller: RunningService) -> None:
    body = (await controller.when("GET", f"{COMMANDS}/catalogue")).then(200, {"next_cursor": None}).body

    assert [item["name"] for item in body["items"]] == ["echo", "lock", "sleep", "unlock"]
    assert set(body["items"][0]) == {"name", "description", "parameters", "timeout_seconds", "version", "sha256"}
    assert body["items"][0]["parameters"]["properties"] == {"text": {"type": "string", "maxLength": 20}}


async def test_given_a_host_that_must_be_cleaned_up_first_then_nothing_runs_before(host: FakeHost) -> None:
    host.executor.reachable.clear()
    async with running(builder_on(host).build()) as controller:
        id_ = await submit(controller, ECHO)
        await controller.settle()
        (await show(controller, id_)).then(200, {"status": "requested"})
        assert host.executor.begun == []

        host.executor.reachable.set()

        (await ends(controller, id_)).then(200, {"status": "succeeded"})
        assert host.executor.cleaned_up == 1


@pytest.mark.parametrize("id", ["none", "0193f0a7-6f0c-7d53-a1f5-5f2a4c1e9b10"])
async def test_given_no_command_then_it_is_404(controller: RunningService, id: str) -> None:
    for method, path in (("GET", ""), ("GET", "/output"), ("POST", "/cancel")):
        (await controller.when(method, f"{COMMANDS}/{id}{path}")).then_refused(404, "not-found")
