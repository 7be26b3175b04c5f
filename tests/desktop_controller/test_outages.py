"""An event store that is away for a while, or whose answer is lost: a step is recorded once, and nothing runs twice."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from neuroglia.core import Unavailable
from neuroglia.event_sourcing import Appended, EventStore, NewEvent
from neuroglia.testing import InMemoryEventStore, RunningService, running
from tests.desktop_controller.builders import COMMANDS, ECHO, SLEEP, ends, show, submit, submit_and_start
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

STARTED, SUCCEEDED, FAILED = (f"desktop.command-{name}.v1" for name in ("started", "succeeded", "failed"))


class Flaky(InMemoryEventStore):
    """Refuses some appends, or makes them and does not say so. `faults`: of which event type, how, how often."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, tuple[str, int]] = {}

    @override
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        how, left = self.faults.get(events[0].type, ("", 0))
        if not left:
            return await super().append(stream, events, expected)
        self.faults[events[0].type] = how, left - 1
        if how == "after":
            await super().append(stream, events, expected)
        raise Unavailable("The event store does not answer.")


async def types(store: EventStore, id: str) -> list[str]:
    return [event.type async for event in store.read(f"host_command-{id}")]


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("step", [STARTED, SUCCEEDED])
async def test_given_a_step_whose_recording_fails_then_it_is_recorded_once_and_the_command_runs_once(
    host: FakeHost, step: str, how: str
) -> None:
    store = Flaky()
    builder = builder_on(host)
    builder.services.add_singleton(EventStore, lambda: store)
    async with running(builder.build()) as controller:
        store.faults[step] = how, 2

        id_ = await submit(controller, ECHO)
        end = await ends(controller, id_)

        assert store.faults[step][1] == (0 if how == "before" else 1)  # a repeat finds what the first try appended
        end.then(200, {"status": "succeeded", "stdout": "hi\n"})
        assert await types(store, id_) == ["desktop.command-requested.v1", STARTED, SUCCEEDED]
        assert len(host.executor.begun) == 1


async def test_given_a_store_that_is_away_when_a_command_is_cancelled_then_it_is_killed_at_once_and_told_later(
    host: FakeHost,
) -> None:
    store = Flaky()
    builder = builder_on(host)
    builder.services.add_singleton(EventStore, lambda: store)
    async with running(builder.build()) as controller:
        program = await submit_and_start(controller, host, SLEEP)
        store.faults[FAILED] = "before", 10**6
        await controller.client.post(f"{COMMANDS}/{program.command_id}/cancel")

        async def is_killed() -> bool:
            return program.killed

        await eventually(is_killed)
        (await show(controller, program.command_id)).then(200, {"status": "running"})
        store.faults.clear()

        (await ends(controller, program.command_id)).then(200, {"status": "cancelled"})


async def test_given_a_store_that_is_away_then_a_request_is_503_and_nothing_runs(host: FakeHost) -> None:
    store = Flaky()
    builder = builder_on(host)
    builder.services.add_singleton(EventStore, lambda: store)
    async with running(builder.build()) as controller:
        store.faults["desktop.command-requested.v1"] = "before", 1

        (await controller.when("POST", COMMANDS, json=ECHO)).then_refused(503, "unavailable")

        assert host.executor.begun == []


async def test_given_commands_whose_answers_are_lost_then_they_keep_no_place(host: FakeHost) -> None:
    store = Flaky()
    builder = builder_on(host, max_concurrent_commands=1, max_waiting_commands=1)
    builder.services.add_singleton(EventStore, lambda: store)
    async with running(builder.build()) as controller:
        for how in ("before", "after"):
            for number in range(3):
                store.faults["desktop.command-requested.v1"] = how, 1
                key = {"Idempotency-Key": f"{how}-{number}"}
                assert (await controller.client.post(COMMANDS, json=ECHO, headers=key)).status_code == 503
                id_ = await submit(controller, ECHO, **key)
                (await ends(controller, id_)).then(200, {"status": "succeeded"})

        assert len(host.executor.begun) == 6


async def test_given_a_capture_that_fails_for_no_known_reason_then_the_command_has_its_end(
    controller: RunningService, host: FakeHost
) -> None:
    host.outputs.fault = RuntimeError("a fault")

    end = await ends(controller, await submit(controller, ECHO))

    end.then(200, {"status": "failed", "reason": "The controller failed while it ran.", "exit_code": None})
    assert host.executor.begun == []
