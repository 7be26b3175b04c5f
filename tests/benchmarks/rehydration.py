"""Loading an aggregate with a long history."""

import json
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import closing

from neuroglia.domain import Repository
from neuroglia.event_sourcing import stream_name
from openbank.domain.models.bank_account import BankAccount
from tests.benchmarks.bank import Bank, open_bank
from tests.benchmarks.harness import Figure, Target, compare, in_turns

_ROUNDS = 7
_EVENTS = 10_000
_TARGET = Target(least_ratio=0.5)
_AT_ONCE = Target(most=1.0)


def measure() -> Sequence[Figure]:
    with open_bank() as (bank, loop), closing(sqlite3.connect(bank.events)) as connection:
        account_id = loop.run(bank.account_of(_EVENTS))
        kept_id = loop.run(bank.account_of(_EVENTS - 1))
        loop.run(bank.deposit(kept_id))  # takes the snapshot

        def by_hand() -> float:
            start = time.perf_counter()
            query = "SELECT * FROM events WHERE stream = ? ORDER BY revision"
            for row in connection.execute(query, (stream_name(BankAccount, account_id),)):
                json.loads(row[5])
            return _EVENTS / (time.perf_counter() - start)

        ours, raw = in_turns([lambda: _EVENTS / loop.run(_seconds(bank, account_id)), by_hand], _ROUNDS)
        snapshots = [loop.run(_seconds(bank, kept_id)) * 1000 for _ in range(100)]
    return [
        compare(f"rehydration, {_EVENTS:,} events | SELECT and json.loads", ours, raw, _TARGET),
        Figure(f"rehydration, snapshot at {_EVENTS:,}", statistics.median(snapshots), unit="ms", target=_AT_ONCE),
    ]


async def _seconds(bank: Bank, account_id: str) -> float:
    async with bank.service.services.create_scope() as scope:
        accounts = await scope.get(Repository[BankAccount])
        start = time.perf_counter()
        account = await accounts.get(account_id)
        elapsed = time.perf_counter() - start
    assert account.version == _EVENTS - 1
    return elapsed
