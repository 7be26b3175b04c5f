"""What grows with the log, and what must not: a million events beside a thousand."""

import asyncio
import contextlib
import tempfile
import time
from asyncio import Runner
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from neuroglia.core import SystemIds, format_utc
from neuroglia.documents import DocumentStore, DocumentType, Session
from neuroglia.event_sourcing import EventStore, Subscriptions
from neuroglia.event_sourcing.subscriptions import Checkpoint, Generation, ProjectionRunner, SubscriptionRunner
from openbank.application.projections.statement_projection import StatementProjection
from openbank.application.queries.get_statement import GetStatement
from tests.benchmarks.bank import Bank, bank
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.benchmarks.raw import RawFile, rows

_GENERATIONS = DocumentType(Generation)
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_FEW = 1_000
_MANY = 1_000_000
_MOVEMENTS = 500
_CHUNK = 50_000
_WARM = 100_000
_ROUNDS = 7
_TIMES = 60
_REBUILD = Target(most=40)
_FLAT = Target(most=32)
_SAME = Target(most_ratio=1.1)


def measure() -> Sequence[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        _grown(Path(folder) / "few", _FEW) as (few, loop, _, _),
        _grown(Path(folder) / "many", _MANY) as (many, _, seconds, growth),
    ):
        figures = [
            Figure(f"{_MANY:,} events rebuilt", seconds, unit="s", target=_REBUILD),
            Figure(f"memory that grew from {_WARM:,} to {_MANY:,} events", growth, unit="MB", target=_FLAT),
        ]
        for name, take in (("command", _commands), ("page", _pages), ("page over HTTP", _served_pages)):
            here, there = in_turns([lambda: loop.run(take(many)), lambda: loop.run(take(few))], _ROUNDS)  # noqa: B023
            figures.append(compare(f"{name} at {_MANY:,} stored events | at {_FEW:,}", here, there, _SAME, "ms"))
    return figures


@contextlib.contextmanager
def _grown(folder: Path, events: int) -> Iterator[tuple[Bank, Runner, float, float]]:
    """A bank with so many movements, the seconds that their projection took, and the megabytes by which it grew."""
    folder.mkdir()
    with Runner() as loop:
        loop.run(_fill(folder, events))
        context = bank(folder, projecting=False)
        subject = loop.run(context.__aenter__())
        try:
            yield subject, loop, *loop.run(_rebuild(subject))
        finally:
            loop.run(context.__aexit__(None, None, None))


async def _fill(folder: Path, events: int) -> None:
    """Rounds of one movement for each account, as a bank's day is."""
    async with bank(folder, projecting=False) as empty:
        await empty.account_of(2)
    model = dict(rows(folder / "events.db", "SELECT * FROM events ORDER BY position DESC LIMIT 1")[0])
    del model["position"]
    accounts, ids = events // _MOVEMENTS, SystemIds()
    (folder / "model.db").write_bytes((folder / "events.db").read_bytes())
    (folder / "events.db").unlink()
    with RawFile(folder / "events.db", folder / "model.db") as file:
        for first in range(0, events, _CHUNK):
            with file.commit():
                for number in range(first, min(first + _CHUNK, events)):
                    row = {
                        "stream": f"bank_account-{number % accounts}",
                        "revision": number // accounts,
                        "id": ids.new(),
                        "recorded_at": format_utc(_BEGIN + timedelta(milliseconds=number)),
                    }
                    file.insert("events", {**model, **row})


async def _rebuild(subject: Bank) -> tuple[float, float]:
    """Builds the statement anew, as an operator would have it done, from a generation that claims to be up to date."""
    services = subject.service.services
    documents, head = await services.get(DocumentStore), await (await services.get(EventStore)).head()
    session = Session(documents)
    session.save(DocumentType(Checkpoint), Checkpoint(name=f"{StatementProjection.name}@1", position=head))
    await session.commit()
    runners = [r for r in await services.get(list[SubscriptionRunner]) if r.kind.subscriber is StatementProjection]
    runner, subscriptions = runners[0], Subscriptions(runners)
    assert isinstance(runner, ProjectionRunner)
    await runner.rebuild()
    start = time.perf_counter()
    await subscriptions.start()
    before = 0.0
    while (row := await Session(documents).get(_GENERATIONS, runner.status.name)) and row.live == 1:
        if not before and (runner.status.rebuilt or 0) > _WARM:
            before = _resident_mb()
        await asyncio.sleep(0.02)
    elapsed, growth = time.perf_counter() - start, _resident_mb() - before
    await subscriptions.stop()
    return elapsed, growth


async def _commands(subject: Bank) -> float:
    """Milliseconds of a deposit."""
    account_id = await subject.account(await subject.owner())
    start = time.perf_counter()
    for _ in range(_TIMES):
        await subject.deposit(account_id)
    return (time.perf_counter() - start) * 1000 / _TIMES


async def _pages(subject: Bank) -> float:
    """Milliseconds of a page of a statement: the first one, and those behind it."""
    cursor, start = None, time.perf_counter()
    for _ in range(_MOVEMENTS // 50):
        page = await subject.mediator.execute(GetStatement("1", None, None, None, 50, cursor))
        cursor = page.next_cursor
        assert len(page.items) == 50
    return (time.perf_counter() - start) * 1000 * 50 / _MOVEMENTS


async def _served_pages(subject: Bank) -> float:
    """The same as a client gets it, without a socket between."""
    cursor: dict[str, str] = {}
    start = time.perf_counter()
    for _ in range(_MOVEMENTS // 50):
        answer = await subject.service.client.get("/api/v1/accounts/1/transactions", params={"limit": "50", **cursor})
        page = answer.json()
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        assert len(page["items"]) == 50
    return (time.perf_counter() - start) * 1000 * 50 / _MOVEMENTS


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20
