"""What the outside is told: to the letter, in order, and nothing of contexts and responses."""

from pathlib import Path
from typing import Final

import pytest
from cloudevents.core.v1.event import CloudEvent

from api_gateway.integration.models import events
from api_gateway.integration.ports import GenAiRefused
from neuroglia.cloud_events import CloudEventBus, IntegrationEvent
from neuroglia.core import Unavailable
from neuroglia.core.codec import JsonCodec
from neuroglia.core.scanning import classes
from neuroglia.testing import RunningService
from tests.api_gateway.callers import CALLBACK, admin, caller
from tests.api_gateway.doubles import Outside
from tests.support.waiting import eventually

GOLDEN: Final = Path(__file__).parent / "golden" / "events"
SECRET: Final = "a word that nobody may know"
PROMPT: Final = {"prompt_id": "p-1", "caller_id": "acme"}
SAMPLES: Final[list[IntegrationEvent]] = [
    events.PromptReceived(**PROMPT, kind="chat", status="created"),
    events.PromptDataProcessed(**PROMPT, status="prepared"),
    events.PromptSubmitted(**PROMPT, status="submitted", attempt=2),
    events.PromptResponseReceived(**PROMPT, status="completed", attempt=2),
    events.PromptResponded(**PROMPT, status="responded"),
    events.PromptFaulted(**PROMPT, status="faulted", code="expired"),
    events.PromptCancelled(**PROMPT, status="cancelled"),
    events.DependenciesHealthChecked(status="degraded", states={"document_store": "up", "genai_service": "down"}),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_the_data_of_an_event_is_to_the_letter_what_it_was(sample: IntegrationEvent) -> None:
    assert JsonCodec(type(sample)).encode(sample).decode() + "\n" == (GOLDEN / f"{sample.event_type}.json").read_text()


def test_every_event_has_its_sample_and_every_file_its_event() -> None:
    names = {kind.event_type for kind in classes([events], IntegrationEvent)}
    assert {sample.event_type for sample in SAMPLES} == names == {file.stem for file in GOLDEN.iterdir()}


class Told:
    """What the outside has seen so far."""

    def __init__(self, bus: CloudEventBus) -> None:
        self.events: list[CloudEvent] = []
        bus.output.subscribe(self.events.append)

    async def of(self, subject: str, count: int) -> list[CloudEvent]:
        """The events of a subject, once there are so many."""

        async def enough() -> bool:
            return len([event for event in self.events if event.get_subject() == subject]) >= count

        await eventually(enough)
        return [event for event in self.events if event.get_subject() == subject]


@pytest.fixture
async def told(gateway: RunningService) -> Told:
    return Told(await gateway.services.get(CloudEventBus))


def short(found: list[CloudEvent]) -> list[str]:
    return [event.get_type().removeprefix("gateway.prompt-").removesuffix(".v1") for event in found]


async def test_given_a_prompt_that_goes_all_the_way_then_each_step_is_told_in_order(
    gateway: RunningService, outside: Outside, told: Told
) -> None:
    acme = await caller(gateway)
    sent = await acme.send(
        headers={"X-Correlation-ID": "c-1"}, context={"text": SECRET}, callback_url=CALLBACK, request_id="r-1"
    )

    found = await told.of(sent["id"], 5)

    assert short(found) == ["received", "data-processed", "submitted", "response-received", "responded"]
    assert [event.get_data() for event in found] == [
        {"prompt_id": sent["id"], "caller_id": "acme", "kind": "chat", "status": "created"},
        {"prompt_id": sent["id"], "caller_id": "acme", "status": "prepared"},
        {"prompt_id": sent["id"], "caller_id": "acme", "status": "submitted", "attempt": 1},
        {"prompt_id": sent["id"], "caller_id": "acme", "status": "completed", "attempt": 1},
        {"prompt_id": sent["id"], "caller_id": "acme", "status": "responded"},
    ]
    assert {(event.get_source(), event.get_extension("correlationid")) for event in found} == {("/api-gateway", "c-1")}
    assert len({event.get_id() for event in found}) == 5
    assert SECRET not in str([event.get_attributes() | {"data": event.get_data()} for event in found])


async def test_given_attempts_a_fault_and_a_retry_then_each_is_an_event_of_its_own(
    gateway: RunningService, outside: Outside, told: Told
) -> None:
    outside.genai.answers = [Unavailable("down"), GenAiRefused(SECRET)]
    acme = await caller(gateway)
    id = (await acme.send())["id"]
    await acme.sees(id, "faulted")
    await admin(gateway, "POST", f"/prompts/{id}/retry", 202)

    found = await told.of(id, 7)

    assert short(found) == [
        "received", "data-processed", "submitted", "submitted", "faulted", "submitted", "response-received",
    ]  # fmt: skip
    attempts = [event.get_data()["attempt"] for event in found if event.get_type().endswith("submitted.v1")]  # type: ignore[index,call-overload]
    assert attempts == [1, 2, 3]
    assert len({event.get_id() for event in found}) == 7
    assert SECRET not in str([event.get_data() for event in found])


async def test_given_a_cancellation_then_that_is_told(gateway: RunningService, outside: Outside, told: Told) -> None:
    outside.packages.held.clear()
    acme = await caller(gateway)
    id = (await acme.send(data_url="https://caller.example/data"))["id"]
    assert (await acme.request("POST", f"/prompts/{id}/cancel")).status_code == 202
    outside.packages.held.set()

    assert short(await told.of(id, 2)) == ["received", "cancelled"]


async def test_given_a_look_at_the_dependencies_then_that_is_told(
    gateway: RunningService, outside: Outside, told: Told
) -> None:
    outside.dependencies[1].is_down = True

    await admin(gateway, "GET", "/dependencies/health", 200)

    (event,) = await told.of("dependencies", 1)
    assert event.get_type() == "gateway.dependencies-health-checked.v1"
    assert event.get_data() == {
        "status": "degraded", "states": {"document_store": "up", "genai": "down", "event_sink": "up"},
    }  # fmt: skip
