"""How much a sweep holds in its hands."""

import gc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from typing_extensions import override

from api_gateway.application.tasks.sweep_prompts import SweepPrompts
from api_gateway.domain.models.prompt import Prompt
from api_gateway.domain.models.prompt_status import PromptStatus
from neuroglia.core import RequestContext, SystemIds, use_context
from neuroglia.documents import WORK_ITEMS, Documents, DocumentStore, DocumentType, Find, Session, StoredDocument
from neuroglia.scheduling import JobInfo
from neuroglia.scheduling.jobs import CurrentJob
from neuroglia.testing import InMemoryDocumentStore, RunningService
from tests.api_gateway.conftest import idle_on
from tests.api_gateway.prompts import prompt_in

pytestmark = pytest.mark.service

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FORGOTTEN = 45
AT_ONCE = 11
"""One more than a page: whether there are others behind it."""


def alive() -> int:
    """How many prompts there are in this process."""
    return sum(type(one) is Prompt for one in gc.get_objects())


class CountingStore(InMemoryDocumentStore):
    """Knows how many prompts were asked for in one go, and how many were there just before."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = list[int]()
        self.seen = list[int]()

    @override
    async def find(self, kind: DocumentType[Any], find: Find) -> Sequence[StoredDocument]:
        if kind.model is Prompt:
            self.asked.append(find.limit)
            self.seen.append(alive())
        return await super().find(kind, find)


@pytest.fixture
async def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
async def gateway(store: CountingStore) -> AsyncIterator[RunningService]:
    async with idle_on(store) as gateway:
        yield gateway


async def forget(gateway: RunningService, store: DocumentStore) -> set[str]:
    """Prompts that wait to be submitted, and have no job. Returns their ids."""
    kind, session, ids = await gateway.services.get(DocumentType[Prompt]), Session(store), set[str]()
    for _ in range(FORGOTTEN):
        prompt = prompt_in(PromptStatus.PREPARED)
        prompt.id, prompt.changed_at = SystemIds().new(), LONG_AGO
        session.save(kind, prompt)
        ids.add(prompt.id)
    await session.commit()
    return ids


async def sweep(gateway: RunningService) -> None:
    async with gateway.services.create_scope() as scope:
        info = JobInfo(id="j-1", key=None, attempt=1, last=False, scheduled_for=LONG_AGO)
        (await scope.get(CurrentJob)).info = info
        with use_context(RequestContext.new()):
            await (await scope.get(SweepPrompts)).run(None)
        await (await scope.get(Session)).commit()


async def test_given_many_forgotten_prompts_then_each_gets_its_job_and_few_are_held_at_a_time(
    gateway: RunningService, store: CountingStore
) -> None:
    ids = await forget(gateway, store)
    gc.collect()
    before = alive()

    await sweep(gateway)

    items = (await Documents(WORK_ITEMS, Session(store)).find(limit=200)).items
    jobs: list[Any] = [item.body["arguments"] for item in items if item.body["task"] == "submit-prompt"]
    assert sorted(job["prompt_id"] for job in jobs) == sorted(ids)
    assert max(store.asked) <= AT_ONCE
    assert max(store.seen) - before <= AT_ONCE
