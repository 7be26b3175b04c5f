"""Transfers from their request to their end, and what the outside is told of events."""

import asyncio
import itertools
import random
import tempfile
import time
from asyncio import Runner
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import httpx

from deployment.demo.sink import Sink, listening
from neuroglia.cloud_events.publications import CloudEventPublisher
from openbank.application.commands.request_transfer import RequestTransfer
from tests.benchmarks.bank import Bank, catch_up, fill, open_bank
from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.raw import RawLog

_ROUNDS = 3
_ACCOUNTS = 50
_AT_ONCE = 32
_TRANSFERS = 600
_APPENDS = 5
"""A transfer that completes is so many commands, each of which appends one event."""
_EVENTS = 1_000
_WORKERS = 16


def measure() -> Sequence[Figure]:
    return [_end_to_end(), _told()]


def _end_to_end() -> Figure:
    """Requested by 32 at once among 50 accounts, with everybody that follows the log."""
    with open_bank(projecting=True) as (subject, loop):
        accounts = loop.run(_rich_accounts(subject))
        with RawLog(subject.events.with_name("raw.db"), subject.events) as by_hand:
            ours, raw = in_turns(
                [
                    lambda: _rate(subject, loop, accounts),
                    lambda: by_hand.append_rate(_TRANSFERS * _APPENDS) / _APPENDS,
                ],
                _ROUNDS,
            )
    return compare(f"transfers a second, {_AT_ONCE} at once | five commits by hand each", ours, raw)


async def _rich_accounts(subject: Bank) -> list[str]:
    owner = await subject.owner()
    accounts = [await subject.account(owner) for _ in range(_ACCOUNTS)]
    for _ in range(20):
        await asyncio.gather(*(subject.deposit(account) for account in accounts))
    await subject.service.settle()
    return accounts


def _rate(subject: Bank, loop: Runner, accounts: Sequence[str]) -> float:
    async def measure() -> float:
        chance, left = random.Random(1), iter(range(_TRANSFERS))

        async def client() -> None:
            for _ in left:
                sender, receiver = chance.sample(accounts, 2)
                await subject.mediator.execute(RequestTransfer(sender, receiver, Decimal("0.01"), "rent"))

        start = time.perf_counter()
        await asyncio.gather(*[client() for _ in range(_AT_ONCE)])
        await subject.service.settle()
        return _TRANSFERS / (time.perf_counter() - start)

    return loop.run(measure())


def _told() -> Figure:
    """From the log to a sink over HTTP, beside the same requests by hand."""
    with tempfile.TemporaryDirectory() as name, listening() as sink, Runner() as loop:
        folder, numbers = Path(name), itertools.count()
        loop.run(fill(folder, _ACCOUNTS, _EVENTS))
        ours, raw = in_turns(
            [
                lambda: loop.run(
                    catch_up(folder, CloudEventPublisher, documents=f"documents-{next(numbers)}.db", sink=sink.url)
                ),
                lambda: loop.run(_post(sink)),
            ],
            _ROUNDS,
        )
    return compare(f"events told a second, {_WORKERS} at once | posting them by hand", ours, raw)


async def _post(sink: Sink) -> float:
    event, left = sink.heard[-1], iter(range(_EVENTS))
    async with httpx.AsyncClient() as client:

        async def worker() -> None:
            for _ in left:
                await client.post(sink.url, json=event)

        start = time.perf_counter()
        await asyncio.gather(*[worker() for _ in range(_WORKERS)])
        return _EVENTS / (time.perf_counter() - start)
