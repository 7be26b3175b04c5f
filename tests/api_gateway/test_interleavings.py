"""Whatever comes at the same moment: one of them wins, and nothing of it is lost."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, pairwise
from typing import Final

from hypothesis import given, settings, strategies as st
from typing_extensions import override

from api_gateway.application.commands.accept_response import AcceptResponse
from api_gateway.application.commands.cancel_prompt import CancelPrompt
from api_gateway.application.commands.end_waiting import EndWaiting
from api_gateway.application.commands.fault_prompt import FaultPrompt
from api_gateway.application.commands.record_delivery import RecordDelivery
from api_gateway.domain.models.prompt import Prompt, Submission
from api_gateway.domain.models.prompt_status import LIFE, PromptStatus
from neuroglia.core import Principal, RequestContext, use_context
from neuroglia.documents import Documents, DocumentStore, Session, StoredDocument, WorkItem, Write
from neuroglia.documents.adapters.memory import InMemoryDocumentStore
from neuroglia.documents.store import Find
from neuroglia.documents.types import DocumentType
from neuroglia.domain import DomainError
from neuroglia.mediation import Command, Mediator
from neuroglia.scheduling.workers import JobWorkers
from neuroglia.testing import RunningService, running
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside
from tests.api_gateway.prompts import prompt_in

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


async def stored(gateway: RunningService, store: HesitantStore) -> DocumentType[Prompt]:
    """A prompt that waits for its response, and whose time is over. It has no jobs: nobody else is at it."""
    kind = await gateway.services.get(DocumentType[Prompt])
    prompt, session = prompt_in(PromptStatus.SUBMITTED), Session(store)
    prompt.note_submission(1, Submission.ACCEPTED)
    session.save(kind, prompt)
    await session.commit()
    return kind


async def attempt(gateway: RunningService, name: str) -> tuple[str, bool]:
    """Does it as an admin, and tells whether it was let through."""
    who = RequestContext(correlation_id="c", principal=Principal("admin", frozenset({"gateway:admin"})))
    with use_context(who):
        try:
            await (await gateway.services.get(Mediator)).execute(ACTIONS[name]("p-1"))
        except DomainError:
            return name, False
    return name, True


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.sampled_from([*ACTIONS]), min_size=2, max_size=7),
    pauses=st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
async def test_of_what_comes_at_once_each_is_a_step_or_refused_and_no_update_is_lost(
    names: list[str], pauses: list[int]
) -> None:
    store = HesitantStore()
    builder = builder_on(Outside())
    builder.services.add_singleton(DocumentStore, lambda: store)
    async with running(builder.build()) as gateway:
        await (await gateway.services.get(JobWorkers)).stop()
        kind = await stored(gateway, store)
        store.pauses = cycle(pauses)

        answers = await asyncio.gather(*[attempt(gateway, name) for name in names])

        store.pauses = cycle([0])
        prompt = await Session(store).get(kind, "p-1")
        rows = await Session(store).find(
            DocumentType(WorkItem), Find([], [], descending=False, limit=100)
        )
    assert prompt is not None
    taken = [step for step in prompt.history if step.at > prompt.created_at]
    for before, after in pairwise(prompt.history):
        assert LIFE[before.status, after.step] is after.status
        assert before.number < after.number
    assert prompt.status is prompt.history[-1].status
    assert prompt.version == prompt.history[-1].number
    assert len(taken) == len({step.step for step in taken})
    assert {step.step.value for step in taken} <= {STEPS[name] for name, through in answers if through}
    refused = {name for name, through in answers if not through}
    for name, through in answers:
        if through and name in {"a cancellation", "a fault", "the caller was told"}:
            assert STEPS[name] in {step.step.value for step in taken}
    if prompt.response is not None:
        lost = {"another response"} if prompt.response == ONE else {"a response", "the same response"}
        assert lost & {*names} <= refused
    assert taken, "one of them gets through, or it was nothing but its own delivery"
    del rows
