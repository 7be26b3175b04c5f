"""A durable deposit while the projections run: the whole command beside the commit of the same row by hand."""

import time
from asyncio import Runner
from collections.abc import Sequence

from tests.benchmarks.bank import Bank, open_bank
from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.raw import RawLog

_ROUNDS = 9
_TIMES = 40


def measure() -> Sequence[Figure]:
    with open_bank(projecting=True) as (bank, loop):
        owner_id = loop.run(bank.owner())
        _rate(bank, loop, owner_id)  # the row to copy
        with RawLog(bank.events.with_name("raw.db"), bank.events) as by_hand:
            ours, raw = in_turns(
                [lambda: _rate(bank, loop, owner_id), lambda: by_hand.append_rate(_TIMES)],
                _ROUNDS,
            )
    return [compare("deposit, durable, one at a time | the same row by hand", ours, raw)]


def _rate(bank: Bank, loop: Runner, owner_id: str) -> float:
    """Deposits a second, on an account of their own; when all is over the read models follow, untimed."""

    async def measure() -> float:
        account_id = await bank.account(owner_id)
        await bank.service.settle()
        start = time.perf_counter()
        for _ in range(_TIMES):
            await bank.deposit(account_id)
        rate = _TIMES / (time.perf_counter() - start)
        await bank.service.settle()
        return rate

    return loop.run(measure())
