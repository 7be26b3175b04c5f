"""Being known: asked for until it is answered, kept up by heartbeats, and given back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from cloudevents.core.v1.event import CloudEvent

from desktop_controller.application.commands.complete_registration import (
    CompleteRegistration,
    CompleteRegistrationHandler,
)
from desktop_controller.application.registration import Registered
from desktop_controller.domain.models.host import THE_HOST, HostEvent, HostState
from desktop_controller.integration.kept import HostIdentity, keep_host
from neuroglia.cloud_events import CloudEventBus
from neuroglia.testing import FixedClock, RunningService, running
from tests.desktop_controller.builders import API, SLEEP, submit_and_start
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost, FakeHostStore
from tests.desktop_controller.lives import Lives
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

STRUCTURED = {"content-type": "application/cloudevents+json"}
SOON = {"registration_interval": 0.02, "heartbeat_interval": 0.02}
ASKED, BEAT, LEFT = "desktop.registration-requested.v1", "desktop.heartbeat.v1", "desktop.unregistered.v1"


class Told:
    """What the outside has seen so far."""

    def __init__(self, bus: CloudEventBus) -> None:
        self.events: list[CloudEvent] = []
        bus.output.subscribe(self.events.append)

    def of(self, kind: str) -> list[CloudEvent]:
        return [event for event in self.events if event.get_type() == kind]

    async def at_least(self, kind: str, times: int) -> None:
        async def enough() -> bool:
            return len(self.of(kind)) >= times

        await eventually(enough)


@pytest.fixture
async def controller(host: FakeHost) -> AsyncIterator[RunningService]:
    async with running(builder_on(host, **SOON).build()) as service:
        yield service


@pytest.fixture
async def told(controller: RunningService) -> Told:
    return Told(await controller.services.get(CloudEventBus))


async def answer(controller: RunningService, id: str = "r-1", status: int = 202, **data: Any) -> None:
    """Somebody says that a desktop is known."""
    event = {
        "specversion": "1.0", "id": id, "source": "/register", "type": "desktop.registration-completed.v1",
        "data": data or {"desktop_id": "desk-7"},
    }  # fmt: skip
    response = await controller.client.post(f"{API}/cloudevents", json=event, headers=STRUCTURED)
    assert response.status_code == status, response.text


async def state(controller: RunningService) -> str:
    body: dict[str, Any] = (await controller.client.get(f"{API}/host/info")).json()
    return str(body["state"])


async def becomes(controller: RunningService, expected: str) -> None:
    async def is_so() -> bool:
        return await state(controller) == expected

    await eventually(is_so)


async def test_given_no_answer_then_it_asks_again_and_again(controller: RunningService, told: Told) -> None:
    await told.at_least(ASKED, 3)

    asked = told.of(ASKED)[-1]
    assert asked.get_data() == {"desktop_id": "desk-7", "desktop_name": "desk-7", "host_ip_address": None}
    assert (asked.get_subject(), asked.get_source()) == ("desk-7", "/desktop-controller")
    assert await state(controller) == "registration_requested"
    assert told.of(BEAT) == []


async def test_given_an_answer_then_it_is_ready_and_its_heart_beats(controller: RunningService, told: Told) -> None:
    await answer(controller)

    await told.at_least(BEAT, 3)
    asked = len(told.of(ASKED))
    await told.at_least(BEAT, 6)
    assert len(told.of(ASKED)) == asked
    assert told.of(BEAT)[-1].get_data() == {"desktop_id": "desk-7", "state": "ready"}
    assert await state(controller) == "ready"


async def test_given_an_answer_that_comes_again_then_nothing_changes(controller: RunningService, told: Told) -> None:
    for id_ in ("r-1", "r-1", "r-2"):
        await answer(controller, id_)

    await told.at_least(BEAT, 3)
    assert await state(controller) == "ready"


async def test_given_the_answer_for_another_desktop_then_it_goes_on_asking(
    controller: RunningService, told: Told
) -> None:
    await answer(controller, desktop_id="another")

    await told.at_least(ASKED, len(told.of(ASKED)) + 3)
    assert told.of(BEAT) == []
    assert await state(controller) == "registration_requested"


@pytest.mark.parametrize("data", [{"desktop_id": ""}, {"desktop_id": 7}, {"desktop_id": None}, {"name": "desk-7"}])
async def test_given_an_answer_for_no_desktop_then_it_is_refused(
    controller: RunningService, data: dict[str, object]
) -> None:
    await answer(controller, status=422, **data)


async def test_given_a_command_that_runs_when_the_answer_comes_then_the_host_is_busy(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    await answer(controller)

    await becomes(controller, "busy")
    program.ended.set_result(0)
    await becomes(controller, "ready")


async def test_given_a_clean_stop_then_the_outside_is_told() -> None:
    lives = Lives()
    async with lives.life(**SOON) as controller:
        told = Told(await controller.services.get(CloudEventBus))
        await answer(controller)
        await told.at_least(BEAT, 1)

    await told.at_least(LEFT, 1)
    assert [event.get_data() for event in told.of(LEFT)] == [{"desktop_id": "desk-7"}]
    assert lives.host.store.values["host"]["below_lock"] == "unregistered"


async def test_given_a_desktop_that_was_known_when_it_starts_again_then_it_asks_again() -> None:
    lives = Lives()
    async with lives.life(**SOON) as controller:
        await answer(controller)
        await becomes(controller, "ready")

    async with lives.life(**SOON) as controller:
        told = Told(await controller.services.get(CloudEventBus))
        await told.at_least(ASKED, 1)
        assert await state(controller) == "registration_requested"
        await answer(controller, "r-2")
        await becomes(controller, "ready")


async def test_given_a_new_name_then_it_is_asked_for_under_that(controller: RunningService, told: Told) -> None:
    body = {"desktop_id": "d-1", "desktop_name": "Front desk", "host_ip_address": "10.0.0.7"}
    assert (await controller.client.put(f"{API}/host/info", json=body)).status_code == 200

    async def under_its_name() -> bool:
        return body in [event.get_data() for event in told.of(ASKED)]

    await eventually(under_its_name)


async def test_given_a_host_that_cannot_be_written_then_it_starts_and_asks_as_soon_as_it_can() -> None:
    lives = Lives()
    lives.host.store.full = True
    async with lives.life(**SOON) as controller:
        told = Told(await controller.services.get(CloudEventBus))
        assert await state(controller) == "pending"
        assert told.of(ASKED) == []

        lives.host.store.full = False

        await told.at_least(ASKED, 1)
        await becomes(controller, "registration_requested")
        lives.host.store.full = True  # and it can end, too


@pytest.mark.parametrize(
    ("asked", "desktop", "is_known"), [(True, "desk-7", True), (True, "another", False), (False, "desk-7", False)]
)
async def test_only_the_answer_to_a_question_of_this_desktop_counts(asked: bool, desktop: str, is_known: bool) -> None:
    clock, registered = FixedClock(), Registered()
    hosts = keep_host(FakeHostStore(), HostIdentity("desk-7", "Desk 7"), clock)
    if asked:
        host = await hosts.get(THE_HOST)
        host.take_in(HostEvent.ASKS_FOR_REGISTRATION, clock.now())
        await hosts.save(host)

    await CompleteRegistrationHandler(hosts, registered, clock).handle(CompleteRegistration(desktop))

    assert registered.is_set() == is_known
    assert ((await hosts.get(THE_HOST)).state is HostState.REGISTERED) == is_known


async def test_given_others_that_write_at_the_same_time_when_it_leaves_then_it_is_unregistered_all_the_same() -> None:
    lives = Lives()
    async with lives.life(**SOON) as controller:
        await becomes(controller, "registration_requested")
        lives.host.store.rivals = 30

    assert lives.host.store.rivals == 0
    assert lives.host.store.values[THE_HOST]["below_lock"] == "unregistered"
