"""Whatever comes at the same moment: one of them wins, and nothing of it is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import cycle, pairwise
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from typing_extensions import override

from api_gateway.application.commands.accept_response import AcceptResponse
from api_gateway.application.commands.cancel_prompt import CancelPrompt
from api_gateway.application.commands.end_waiting import EndWaiting
from api_gateway.application.commands.fault_prompt import FaultPrompt
from api_gateway.application.commands.record_delivery import RecordDelivery
from api_gateway.domain.models.prompt import Prompt, Submission
from api_gateway.domain.models.prompt_status import LIFE, PromptStatus
from neuroglia.core import Principal, RequestContext, SystemIds, use_context
from neuroglia.documents import DocumentType, Session, StoredDocument, Write
from neuroglia.domain import DomainError
from neuroglia.mediation import Command, Mediator
from neuroglia.testing import InMemoryDocumentStore, RunningService
from tests.api_gateway.conftest import idle_on
from tests.api_gateway.prompts import prompt_in

pytestmark = pytest.mark.service

ONE: Final = {"text": "one"}
ANOTHER: Final = {"text": "another"}
ACTIONS: Final[dict[str, Callable[[str], Command[object]]]] = {
    "a response": lambda id: AcceptResponse(id, ONE, 1),
    "the same response": lambda id: AcceptResponse(id, ONE),
    "another response": lambda id: AcceptResponse(id, ANOTHER),
    "the caller was told": RecordDelivery,
    "a cancellation": CancelPrompt,
    "its time is over": EndWaiting,
    "a fault": lambda id: FaultPrompt(id, 0, "broken", "It is broken."),
}
STEPS: Final = {
    "a response": "complete", "the same response": "complete", "another response": "complete",
    "the caller was told": "respond", "a cancellation": "cancel", "its time is over": "fault", "a fault": "fault",
}  # fmt: skip


class HesitantStore(InMemoryDocumentStore):
    """Takes its time over every look and every write, as it is told."""

    pauses: Iterator[int] = cycle([0])

    @override
    async def get(self, collection: str, key: str) -> StoredDocument | None:
        await self._hesitate()
        return await super().get(collection, key)

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        await self._hesitate()
        await super().commit(writes)

    async def _hesitate(self) -> None:
        for _ in range(next(self.pauses)):
            await asyncio.sleep(0)


@pytest.fixture
async def store() -> HesitantStore:
    return HesitantStore()


@pytest.fixture
async def gateway(store: HesitantStore) -> AsyncIterator[RunningService]:
    async with idle_on(store) as gateway:
        yield gateway


async def attempt(gateway: RunningService, name: str, id: str) -> tuple[str, bool]:
    """Does it as an admin, and tells whether it was let through."""
    who = RequestContext(correlation_id="c", principal=Principal("admin", frozenset({"gateway:admin"})))
    with use_context(who):
        try:
            await (await gateway.services.get(Mediator)).execute(ACTIONS[name](id))
        except DomainError:
            return name, False
    return name, True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from([*ACTIONS]), min_size=2, max_size=7),
    pauses=st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
async def test_of_what_comes_at_once_each_is_a_step_or_refused_and_no_update_is_lost(
    gateway: RunningService, store: HesitantStore, names: list[str], pauses: list[int]
) -> None:
    kind, session = await gateway.services.get(DocumentType[Prompt]), Session(store)
    waiting = prompt_in(PromptStatus.SUBMITTED)  # its time is over
    waiting.id = SystemIds().new()
    waiting.note_submission(1, Submission.ACCEPTED)
    session.save(kind, waiting)
    await session.commit()
    known = len(waiting.history)

    store.pauses = cycle(pauses)
    answers = await asyncio.gather(*[attempt(gateway, name, waiting.id) for name in names])
    store.pauses = cycle([0])

    prompt = await Session(store).get(kind, waiting.id)
    assert prompt is not None
    for before, after in pairwise(prompt.history):
        assert LIFE[before.status, after.step] is after.status
        assert before.number < after.number
    taken = [step.step.value for step in prompt.history[known:]]
    last = prompt.history[-1]
    assert (prompt.status, prompt.version) == (last.status, last.number if taken else waiting.version)
    through = {STEPS[name] for name, passed in answers if passed}
    assert len(taken) == len({*taken})
    assert {*taken} <= through
    assert through - {"complete", "fault"} <= {*taken}  # these may come again, or too early: then they change nothing
    assert taken or {*names} == {"the caller was told"}
    if prompt.response is not None:
        others = {"another response"} if prompt.response == ONE else {"a response", "the same response"}
        assert not [name for name, passed in answers if passed and name in others]
