"""The service of letters on a document store, and short ways to look at its jobs."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from neuroglia.core import Clock, RequestContext, use_context
from neuroglia.documents import DocumentStore, DocumentType, Session, WorkItem, WorkItems, WorkState
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mediation import Command, Mediator
from neuroglia.scheduling.triggers import Triggers
from neuroglia.testing import FixedClock, RunningService, in_memory, running
from tests.framework.scheduling.chores import Letter, Script
from tests.support.waiting import eventually

CHORES = "tests.framework.scheduling.chores"
JOBS = "/api/v1/operations/jobs"
MEMORY = "sqlite:///:memory:"
START = datetime(2025, 1, 31, 9, 31, tzinfo=UTC)
ITEMS = DocumentType(WorkItem)


class Office:
    """The running service."""

    def __init__(self, service: RunningService, script: Script, clock: FixedClock) -> None:
        self.service = service
        self.script = script
        self.clock = clock

    async def send(self, command: Command[Any], context: RequestContext | None = None) -> Any:
        mediator = await self.service.services.get(Mediator)
        with use_context(context or RequestContext.new()):
            return await mediator.execute(command)

    async def store(self) -> DocumentStore:
        return await self.service.services.get(DocumentStore)

    async def job(self, id: str) -> WorkItem:
        found = await Session(await self.store()).get(ITEMS, id)
        assert found is not None
        return found

    async def jobs(self, state: WorkState | None = None) -> list[WorkItem]:
        items = WorkItems(await self.store(), "jobs")
        found = [item for one in WorkState if state in {None, one} for item in await items.page(one)]
        return list({item.id: item for item in found}.values())

    async def becomes(self, id: str, state: WorkState, attempts: int | None = None) -> WorkItem:
        async def so() -> bool:
            job = await self.job(id)
            return job.state is state and attempts in {None, job.attempts}

        await eventually(so)
        return await self.job(id)

    async def letter(self, id: str) -> Letter | None:
        return await Session(await self.store()).get(DocumentType(Letter), id)

    async def change(self, id: str, **fields: Any) -> None:
        """As another version of the service might have stored it."""
        session = Session(await self.store())
        item = await session.get(ITEMS, id)
        assert item is not None
        session.save(ITEMS, item.model_copy(update=fields))
        await session.commit()

    async def fire(self, *names: str) -> None:
        triggers = await self.service.services.get(Triggers)
        for name in names:
            await triggers.fire(name)

    async def keys(self) -> Sequence[str]:
        return sorted(str(job.body["key"]) for job in await self.jobs())

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


def letters_builder(url: str, script: Script, clock: Clock, **settings: Any) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(ServiceSettings(log_level="ERROR", document_store_url=url, **settings))
    builder.services.add_instance(Script, script)
    builder.services.add_instance(Clock, clock)
    builder.add_mediation(CHORES)
    builder.add_documents(CHORES)
    builder.add_background_tasks(CHORES)
    builder.add_operations()
    return in_memory(builder) if url == MEMORY else builder


@asynccontextmanager
async def office_on(
    url: str, script: Script | None = None, clock: FixedClock | None = None, **settings: Any
) -> AsyncGenerator[Office]:
    script, clock = script or Script(), clock or FixedClock(START)
    async with running(letters_builder(url, script, clock, **settings).build()) as service:
        yield Office(service, script, clock)
