"""A durable command, from the mediator to the commit: many callers, rivals, and a long history."""

import asyncio
import time
from asyncio import Runner
from collections.abc import Sequence

from neuroglia.core.errors import ApplicationError
from tests.benchmarks.bank import Bank, open_bank, percentile
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.benchmarks.raw import RawLog

_ALONE = Target(least_ratio=0.35)
_TOGETHER = Target(least_rate=4_800, least_ratio=2)
_ALL = Target(least=100)
_AGED = Target(most_ratio=1.2)
_COMMITS = 150  # on both sides, for they cost more until the write-ahead log has its full size
_CALLERS = 64
_ACCOUNTS = 192
_DEPOSITS = 10
_RIVALS = (16, 64)
_TRIES = 5  # of each rival
_OLD = 10_000
_YOUNG = 10


def measure() -> Sequence[Figure]:
    with open_bank() as (bank, loop):
        owner_id = loop.run(bank.owner())
        loop.run(bank.account_of(2))  # the row to copy
        with RawLog(bank.events.with_name("raw.db"), bank.events) as raw:

            def by_hand() -> float:
                return raw.append_rate(_COMMITS)

            def together() -> float:
                return loop.run(_deposits(bank, owner_id, _CALLERS, _ACCOUNTS, _DEPOSITS))

            def by_command() -> float:
                return loop.run(_deposits(bank, owner_id, 1, 1, _COMMITS))

            alone, raw_alone = in_turns([by_command, by_hand], 9)
            shared, raw_shared = in_turns([together, by_hand], 5)
        return [
            compare("command, one caller | one commit each by hand", alone, raw_alone, _ALONE),
            compare(
                f"command, {_CALLERS} callers, {_ACCOUNTS} accounts | one commit each by hand",
                shared,
                raw_shared,
                _TOGETHER,
            ),
            *(figure for writers in _RIVALS for figure in _rivals(bank, loop, owner_id, writers)),
            _by_age(bank, loop),
        ]


async def _deposits(bank: Bank, owner_id: str, callers: int, accounts: int, times: int) -> float:
    """Deposits a second, when each caller has accounts of its own."""
    ids = [await bank.account(owner_id) for _ in range(accounts)]

    async def call(own: Sequence[str]) -> None:
        for _ in range(times):
            for account_id in own:
                await bank.deposit(account_id)

    start = time.perf_counter()
    await asyncio.gather(*(call(ids[number::callers]) for number in range(callers)))
    return accounts * times / (time.perf_counter() - start)


def _rivals(bank: Bank, loop: Runner, owner_id: str, writers: int) -> Sequence[Figure]:
    """All deposit into one account at once, each several times, and wait for their answers."""
    times: list[float] = []
    refused = 0

    async def write(account_id: str) -> None:
        nonlocal refused
        for _ in range(_TRIES):
            start = time.perf_counter()
            try:
                await bank.deposit(account_id)
            except ApplicationError:
                refused += 1
            times.append((time.perf_counter() - start) * 1000)

    async def race() -> None:
        account_id = await bank.account(owner_id)
        await asyncio.gather(*(write(account_id) for _ in range(writers)))

    for _ in range(3):
        loop.run(race())
    name = f"{writers} writers on one account"
    return [
        Figure(f"{name}, accepted", 100 * (1 - refused / len(times)), unit="%", target=_ALL),
        Figure(f"{name}, p50", percentile(times, 0.5), unit="ms"),
        Figure(f"{name}, p99", percentile(times, 0.99), unit="ms"),
    ]


def _by_age(bank: Bank, loop: Runner) -> Figure:
    """The old account's commands go once around from snapshot to snapshot; each young account stays young."""
    old_id = loop.run(bank.account_of(_OLD - 1))
    loop.run(bank.deposit(old_id))

    async def milliseconds(account_id: str) -> float:
        start = time.perf_counter()
        for _ in range(5):
            await bank.deposit(account_id)
        return (time.perf_counter() - start) * 1000 / 5

    def young() -> float:
        return loop.run(milliseconds(loop.run(bank.account_of(_YOUNG))))

    aged, fresh = in_turns([lambda: loop.run(milliseconds(old_id)), young], 20)
    return compare(f"command on {_OLD:,} events | on {_YOUNG} events", aged, fresh, _AGED, unit="ms")
