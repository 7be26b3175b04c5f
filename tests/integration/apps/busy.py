"""A service of documents alone whose replicas have a lot to do in the background: `python -m`.

Each job notes in a line of the file `BEGUN` that it was begun, and by whom, and counts itself in a document.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from neuroglia.documents import Documents, document
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run
from neuroglia.mediation import Command, CommandHandler, Query, QueryHandler
from neuroglia.mvc import ControllerBase, Cursor, Limit, Page, get, post
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, JobInfo, background_task
from neuroglia.testing import kill_this_process


class BusySettings(ServiceSettings):
    begun: Path
    tick: bool = False


@document("efforts", indexes=["id"])
class Effort(BaseModel):
    id: str
    count: int = 0


class Toil:
    """What all jobs do."""

    def __init__(self, settings: BusySettings, efforts: Documents[Effort], job: JobInfo) -> None:
        self.settings, self.efforts, self.job = settings, efforts, job

    async def begin(self, name: str) -> None:
        with self.settings.begun.open("a") as file:  # one short write: lines of several processes do not mix
            file.write(f"{name} {os.getpid()} {self.job.attempt}\n")
        effort = await self.efforts.lookup(name) or Effort(id=name)
        effort.count += 1
        await self.efforts.save(effort)


@dataclass(frozen=True, slots=True)
class Load:
    name: str
    seconds: float = 0.0
    deadly: bool = False


@background_task("carry", attempts=2, first_pause=timedelta(milliseconds=10))
class Carry(BackgroundTask[Load]):
    def __init__(self, toil: Toil) -> None:
        self.toil = toil

    async def run(self, arguments: Load) -> None:
        await self.toil.begin(arguments.name)
        if arguments.deadly:
            kill_this_process()
        await asyncio.sleep(arguments.seconds)


@background_task("tick", every=timedelta(seconds=1), coalesce=False)
class Tick(BackgroundTask[None]):
    def __init__(self, toil: Toil, job: JobInfo, settings: BusySettings) -> None:
        self.toil, self.job, self.settings = toil, job, settings

    async def run(self, arguments: None) -> None:
        if self.settings.tick:
            await self.toil.begin(str(self.job.key))


@dataclass(frozen=True, slots=True)
class Burden(Command[None]):
    loads: list[Load]


class BurdenHandler(CommandHandler[Burden, None]):
    def __init__(self, tasks: BackgroundTasks) -> None:
        self.tasks = tasks

    async def handle(self, command: Burden) -> None:
        for load in command.loads:
            await self.tasks.enqueue(Carry, load)


@dataclass(frozen=True, slots=True)
class ListEfforts(Query[Page[Effort]]):
    limit: int
    cursor: str | None


class ListEffortsHandler(QueryHandler[ListEfforts, Page[Effort]]):
    def __init__(self, efforts: Documents[Effort]) -> None:
        self.efforts = efforts

    async def handle(self, query: ListEfforts) -> Page[Effort]:
        return await self.efforts.find(order="id", limit=query.limit, cursor=query.cursor)


class EffortsController(ControllerBase):
    @post(status_code=202, scopes=["operations:admin"])
    async def burden(self, loads: list[Load]) -> None:
        await self.mediator.execute(Burden(loads))

    @get(scopes=["operations:admin"])
    async def efforts(self, limit: Limit = 200, cursor: Cursor = None) -> Page[Effort]:
        return await self.mediator.execute(ListEfforts(limit, cursor))


def create_app(settings: BusySettings) -> FastAPI:
    builder = WebApplicationBuilder(settings)
    builder.add_controllers(__name__)
    builder.add_mediation(__name__)
    builder.add_documents(__name__)
    builder.add_background_tasks(__name__)
    builder.add_operations()
    builder.services.add_scoped(Toil)
    return builder.build()


if __name__ == "__main__":
    run(create_app, BusySettings)
