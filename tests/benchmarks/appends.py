"""The event store: an append, alone and among others that share its commit."""

import asyncio
import time
from asyncio import Runner
from collections.abc import Callable, Sequence
from functools import partial

from neuroglia.core import SystemIds
from neuroglia.event_sourcing import NO_STREAM, EventCodec, EventStore, NewEvent
from tests.benchmarks.bank import Bank, new_event, open_bank
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.benchmarks.raw import RawLog

_ROUNDS = 7
_APPENDS = {1: 150, 64: 1_280, 256: 2_560}
_ALONE = Target(least_ratio=0.4)
_SHARED = Target(least_ratio=0.5)


def measure() -> Sequence[Figure]:
    figures: list[Figure] = []
    with open_bank() as (bank, loop):
        loop.run(bank.account_of(2))  # the row to copy
        with RawLog(bank.events.with_name("raw.db"), bank.events) as by_hand:
            for callers, times in _APPENDS.items():
                ours, raw = in_turns(
                    [_rate(bank, loop, callers, times), partial(by_hand.append_rate, times, callers)], _ROUNDS
                )
                target = _ALONE if callers == 1 else _SHARED
                name = f"append, {callers} at once | groups of {callers} by hand"
                figures.append(compare(name, ours, raw, target))
    return figures


def _rate(bank: Bank, loop: Runner, callers: int, times: int) -> Callable[[], float]:
    """Callers that each append to a stream of their own, one event after another."""

    async def measure() -> float:
        codec, store = await bank.service.services.get(EventCodec), await bank.service.services.get(EventStore)
        streams = [[new_event(codec) for _ in range(times // callers)] for _ in range(callers)]
        start = time.perf_counter()
        await asyncio.gather(*(_append(store, f"bank_account-{SystemIds().new()}", events) for events in streams))
        return times / (time.perf_counter() - start)

    return lambda: loop.run(measure())


async def _append(store: EventStore, stream: str, events: Sequence[NewEvent]) -> None:
    for expected, event in enumerate(events, NO_STREAM):
        await store.append(stream, [event], expected)
