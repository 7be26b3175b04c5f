"""A small service without events: letters that are written in the background."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel

from neuroglia.core import RequestContext, current_context
from neuroglia.documents import Documents, document
from neuroglia.domain import StateConflict
from neuroglia.mediation import Command, CommandHandler
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, JobInfo, background_task


class NobodyThere(StateConflict):
    code = "nobody-there"


class Script:
    """What shall happen in the tasks, and what has."""

    def __init__(self) -> None:
        self.contexts: list[RequestContext] = []
        self.jobs: list[JobInfo] = []
        self.failures: dict[str, list[Exception]] = {}
        self.times: list[datetime] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def pass_through(self, job: JobInfo, what: str) -> None:
        self.contexts.append(current_context())
        self.jobs.append(job)
        self.entered.set()
        await self.release.wait()
        if failures := self.failures.get(what):
            raise failures.pop(0)


@document("letters")
class Letter(BaseModel):
    id: str
    text: str
    times: int = 0


@dataclass(frozen=True, slots=True)
class Writing:
    letter_id: str
    text: str = "Dear"


@background_task("write-letter", attempts=4, first_pause=timedelta(seconds=10), longest_pause=timedelta(seconds=25))
class WriteLetter(BackgroundTask[Writing]):
    def __init__(self, letters: Documents[Letter], script: Script, job: JobInfo) -> None:
        self.letters, self.script, self.job = letters, script, job

    async def run(self, arguments: Writing) -> None:
        letter = await self.letters.lookup(arguments.letter_id) or Letter(id=arguments.letter_id, text=arguments.text)
        letter.times += 1
        await self.letters.save(letter)
        await self.script.pass_through(self.job, letter.id)


@background_task("empty-bin", cron="*/5 * * * *", coalesce=False, misfire_grace=timedelta(hours=1))
class EmptyBin(BackgroundTask[None]):
    """Misses none of the last hour."""

    def __init__(self, script: Script, job: JobInfo) -> None:
        self.script, self.job = script, job

    async def run(self, arguments: None) -> None:
        self.script.times.append(self.job.scheduled_for)


@background_task("look-round", every=timedelta(minutes=10))
class LookRound(BackgroundTask[None]):
    """Of the times that were missed, the last one is enough."""

    def __init__(self, script: Script, job: JobInfo) -> None:
        self.script, self.job = script, job

    async def run(self, arguments: None) -> None:
        await self.script.pass_through(self.job, "")


@dataclass(frozen=True, slots=True)
class Order(Command[str]):
    letter_id: str
    key: str | None = None
    after: timedelta | None = None
    fails: bool = False


class OrderHandler(CommandHandler[Order, str]):
    def __init__(self, tasks: BackgroundTasks, letters: Documents[Letter]) -> None:
        self.tasks, self.letters = tasks, letters

    async def handle(self, command: Order) -> str:
        name = f"order of {command.letter_id}"
        await self.letters.save(await self.letters.lookup(name) or Letter(id=name, text=""))
        writing = Writing(command.letter_id)
        id = await self.tasks.enqueue(WriteLetter, writing, after=command.after, key=command.key)
        if command.fails:
            raise NobodyThere("There is nobody to write to.")
        return id
