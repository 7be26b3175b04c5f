"""The kit for projections fails when it should, and says why."""

import pytest

from neuroglia.core import Clock, ConfigurationError
from neuroglia.documents import Documents
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Projection, on
from neuroglia.testing import FixedClock, given_projection
from tests.framework.hosting.lamps import Lamp, LampDto, LampLit, LampProjection


class Timed(Projection):
    def __init__(self, lamps: Documents[LampDto], clock: Clock) -> None:
        self.lamps = lamps
        self.clock = clock

    @on
    async def lit(self, event: LampLit, envelope: Envelope) -> None:
        at = f"{envelope.stream}@{envelope.revision}/{envelope.position}"
        await self.lamps.save(LampDto(id=f"{at} {self.clock.now():%H:%M} {envelope.id}"))


async def test_given_events_when_they_are_projected_then_the_documents_are_compared_in_any_order() -> None:
    projection = given_projection(LampProjection).when(Lamp, "b", LampLit()).when(Lamp, "a", LampLit())

    await projection.then(LampDto(id="a"), LampDto(id="b"))
    await projection.then(LampDto(id="b"), LampDto(id="a"))


@pytest.mark.parametrize("expected", [["a"], ["a", "c"], ["a", "b", "c"], ["a", "a"]])
async def test_given_other_documents_when_comparing_then_it_fails_and_tells_both(expected: list[str]) -> None:
    projection = given_projection(LampProjection).when(Lamp, "a", LampLit()).when(Lamp, "b", LampLit())

    with pytest.raises(AssertionError, match=r"shown are \[LampDto\(id='a'\), LampDto\(id='b'\)\], expected \["):
        await projection.then(*[LampDto(id=id_) for id_ in expected])


async def test_given_a_projection_that_fails_when_looking_then_its_own_error_comes() -> None:
    with pytest.raises(ValueError, match="bulb"):
        await given_projection(LampProjection).when(Lamp, "a", LampLit(broken=True)).shown(LampDto)


async def test_given_several_streams_when_events_happen_then_each_counts_its_revisions_and_the_log_its_positions() -> (
    None
):
    projection = given_projection(Timed, FixedClock()).when(Lamp, "a", LampLit(), LampLit())
    projection.when(Lamp, "b", LampLit()).when(Lamp, "a", LampLit())

    assert [lamp.id for lamp in await projection.shown(LampDto)] == [
        "lamp-a@0/1 09:30 event-1",
        "lamp-a@1/2 09:30 event-2",
        "lamp-a@2/4 09:30 event-4",
        "lamp-b@0/3 09:30 event-3",
    ]


async def test_given_a_need_that_nobody_gave_when_looking_then_it_is_named() -> None:
    with pytest.raises(ConfigurationError, match="Timed: parameter 'clock' needs Clock, which nobody registered"):
        await given_projection(Timed).when(Lamp, "a", LampLit()).shown(LampDto)
