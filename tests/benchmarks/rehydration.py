"""Loading an aggregate with a long history."""

import json
import sqlite3
import statistics
import time
from asyncio import Runner
from collections.abc import Sequence
from contextlib import closing

from neuroglia.domain import Repository
from neuroglia.event_sourcing import stream_name
from neuroglia.event_sourcing.snapshots import Snapshots
from openbank.domain.models.bank_account import BankAccount
from tests.benchmarks.bank import Bank, open_bank
from tests.benchmarks.harness import Figure, Target, compare, in_turns

_ROUNDS = 7
_EVENTS = 10_000
_LONG = 100_000
_TARGET = Target(least_ratio=0.5)
_AT_ONCE = Target(most=1.0)


def measure() -> Sequence[Figure]:
    with open_bank() as (bank, loop), closing(sqlite3.connect(bank.events)) as connection:
        account_id = loop.run(bank.account_of(_EVENTS))

        def by_hand() -> float:
            start = time.perf_counter()
            query = "SELECT * FROM events WHERE stream = ? ORDER BY revision"
            for row in connection.execute(query, (stream_name(BankAccount, account_id),)):
                json.loads(row[5])
            return _EVENTS / (time.perf_counter() - start)

        ours, raw = in_turns([lambda: _EVENTS / loop.run(_seconds(bank, account_id, _EVENTS)), by_hand], _ROUNDS)
        return [
            compare(f"rehydration, {_EVENTS:,} events | SELECT and json.loads", ours, raw, _TARGET),
            *(_by_snapshot(bank, loop, events) for events in (_EVENTS, _LONG)),
        ]


def _by_snapshot(bank: Bank, loop: Runner, events: int) -> Figure:
    """From the stored snapshot, as after a restart: what is in memory is forgotten before each load."""
    account_id = loop.run(bank.account_of(events - 1))
    loop.run(bank.deposit(account_id))  # takes the snapshot
    snapshots = loop.run(bank.service.services.get(Snapshots))
    samples: list[float] = []
    for _ in range(100):
        snapshots._recent.clear()
        samples.append(loop.run(_seconds(bank, account_id, events)) * 1000)
    return Figure(f"rehydration, snapshot at {events:,}", statistics.median(samples), unit="ms", target=_AT_ONCE)


async def _seconds(bank: Bank, account_id: str, events: int) -> float:
    async with bank.service.services.create_scope() as scope:
        accounts = await scope.get(Repository[BankAccount])
        start = time.perf_counter()
        account = await accounts.get(account_id)
        elapsed = time.perf_counter() - start
    assert account.version == events - 1
    return elapsed
