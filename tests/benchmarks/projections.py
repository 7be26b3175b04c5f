"""Projections: how fast they catch up, and how soon they show what was appended."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from neuroglia.event_sourcing import Appended, EventStore, NewEvent, Subscriptions
from openbank.application.projections.account_projection import AccountProjection
from openbank.application.projections.statement_projection import StatementProjection
from tests.benchmarks.bank import catch_up, fill, open_bank, percentile
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.benchmarks.raw import RawFile, Row, rows

_ROUNDS = 3
_ACCOUNTS = 200
_EVENTS = 20_000
_BATCH = 500
_TIMES = 300
_TARGET = Target(least_ratio=0.3)


def measure() -> Sequence[Figure]:
    return [_catch_up(), *_lag()]


def _catch_up() -> Figure:
    """The statement: one document for each event, with two indexes, from the first event on."""
    with tempfile.TemporaryDirectory() as name, asyncio.Runner() as loop:
        folder, numbers = Path(name), itertools.count()
        loop.run(fill(folder, _ACCOUNTS, _EVENTS))

        def ours() -> float:
            return loop.run(catch_up(folder, StatementProjection, documents=f"documents-{next(numbers)}.db"))

        ours()  # the documents to copy
        model = folder / "documents-0.db"
        checkpoint = rows(model, "SELECT * FROM checkpoints")[0]
        documents = rows(model, "SELECT * FROM transactions ORDER BY json_extract(body, '$.recorded_at')")

        def by_hand() -> float:
            with RawFile(folder / f"raw-{next(numbers)}.db", model) as file:
                return _write(file, documents, checkpoint)

        projected, written = in_turns([ours, by_hand], _ROUNDS)
    return compare(f"catch-up, {_EVENTS:,} events | writing the documents by hand", projected, written, _TARGET)


def _write(file: RawFile, documents: Sequence[Row], checkpoint: Row) -> float:
    file.insert("checkpoints", checkpoint)
    start = time.perf_counter()
    for first in range(0, len(documents), _BATCH):
        with file.commit():
            for document in documents[first : first + _BATCH]:
                file.insert("transactions", document)
            file.connection.execute("UPDATE checkpoints SET version = version + 1, body = :body", checkpoint)
    return len(documents) / (time.perf_counter() - start)


def _lag() -> Sequence[Figure]:
    """From the commit of an append until its account is shown."""
    with open_bank(projecting=True) as (subject, loop):
        account_id = loop.run(subject.account(loop.run(subject.owner())))

        async def all_of_them() -> Sequence[float]:
            services = subject.service.services
            store, runner = (
                await services.get(EventStore),
                (await services.get(Subscriptions)).runners[AccountProjection],
            )
            append, waiting = store.append, list[asyncio.Task[float]]()

            async def shown(position: int, appended: float) -> float:
                await runner.wait_for(position, 10)
                return (time.perf_counter() - appended) * 1000

            async def watched(stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
                done = await append(stream, events, expected)
                waiting.append(asyncio.create_task(shown(done.position, time.perf_counter())))
                return done

            store.append = watched  # type: ignore[method-assign]
            for number in range(_TIMES):
                await subject.deposit(account_id)
                await waiting[number]
            return [await one for one in waiting]

        times = loop.run(all_of_them())
    name = "appended → projected"
    return [
        Figure(f"{name}, p50", percentile(times, 0.5), unit="ms"),
        Figure(f"{name}, p99", percentile(times, 0.99), unit="ms"),
    ]
