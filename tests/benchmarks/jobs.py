"""Background tasks: how many jobs a second are done, beside the commits that they cost, made by hand."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

from neuroglia.core import SystemClock
from neuroglia.documents import Documents, DocumentStore, DocumentType, Find, Session, WorkItem, document, eq
from neuroglia.documents.workers import Workers
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, background_task
from neuroglia.scheduling.workers import JobWorkers
from neuroglia.testing import running
from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.raw import RawFile, Row, rows

_ROUNDS = 3
_JOBS = 300
_COMMITS = 2
"""Of each job, once it is enqueued: it is claimed, and it is done."""


@document("chits")
class Chit(BaseModel):
    """What a job leaves."""

    id: str


@dataclass(frozen=True, slots=True)
class Writing:
    chit_id: str


@background_task("write-chit")
class WriteChit(BackgroundTask[Writing]):
    """Writes one document."""

    def __init__(self, chits: Documents[Chit]) -> None:
        self.chits = chits

    async def run(self, arguments: Writing) -> None:
        await self.chits.save(Chit(id=arguments.chit_id))


def measure() -> Sequence[Figure]:
    """All jobs are there before the workers begin."""
    with tempfile.TemporaryDirectory() as name:
        folder, numbers = Path(name), itertools.count()

        def ours(workers: int) -> float:
            return asyncio.run(_done(folder / f"{next(numbers)}.db", workers))

        ours(8)  # the documents to copy
        model = folder / "0.db"
        items = rows(model, "SELECT * FROM work_items")

        def by_hand() -> float:
            with RawFile(folder / f"raw-{next(numbers)}.db", model) as file:
                return _write(file, items)

        one, eight, raw = in_turns([lambda: ours(1), lambda: ours(8), by_hand], _ROUNDS)
    limit = f"{_COMMITS} commits for each by hand"
    return [
        compare(f"jobs a second, 1 worker | {limit}", one, raw),
        compare(f"jobs a second, 8 workers | {limit}", eight, raw),
    ]


async def _done(file: Path, workers: int) -> float:
    builder = WebApplicationBuilder(ServiceSettings(document_store_url=f"sqlite:///{file}", log_level="ERROR"))
    builder.add_documents(__name__)
    builder.add_background_tasks(__name__, workers=workers)
    async with running(builder.build()) as service:
        begin = SystemClock().now() + timedelta(seconds=1)
        async with service.services.create_scope() as scope:
            tasks = await scope.get(BackgroundTasks)
            for number in range(_JOBS):
                await tasks.enqueue(WriteChit, Writing(str(number)), at=begin)
            await (await scope.get(Session)).commit()
        worker: Workers = await service.services.get(JobWorkers)
        await asyncio.sleep((begin - SystemClock().now()).total_seconds())
        start = time.perf_counter()
        worker.wake()
        store = await service.services.get(DocumentStore)
        while await _left(store):  # noqa: ASYNC110 - the workers know nothing of us
            await asyncio.sleep(0.005)
        return _JOBS / (time.perf_counter() - start)


async def _left(store: DocumentStore) -> bool:
    for state in ("running", "waiting"):
        find = Find([eq("queue", "jobs"), eq("state", state)], ["due"], descending=False, limit=1)
        if await store.find(DocumentType(WorkItem), find):
            return True
    return False


def _write(file: RawFile, items: Sequence[Row]) -> float:
    start = time.perf_counter()
    for item in items:
        with file.commit():
            file.insert("work_items", item)
        with file.commit():
            file.connection.execute("UPDATE work_items SET version = version + 1, body = :body WHERE key = :key", item)
            file.insert("chits", {"key": item["key"], "version": 1, "body": b"{}"})
    return len(items) / (time.perf_counter() - start)
