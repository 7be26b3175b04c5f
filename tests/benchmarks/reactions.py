"""Reactions: how many events a second they handle, one after the other and eight at the same time."""

import itertools
import tempfile
import time
from asyncio import Runner
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from neuroglia.documents import Documents, DocumentType, document
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Reaction, on
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.registration import add_subscriber
from neuroglia.hosting import WebApplicationBuilder
from openbank.domain.events.accounts import MoneyDeposited
from tests.benchmarks.bank import catch_up, fill
from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.raw import RawFile, Row, rows

_ROUNDS = 3
_ACCOUNTS = 50
_EVENTS = 2_000


@document("receipts")
class Receipt(BaseModel):
    """What the reaction leaves of each event."""

    id: str
    account_id: str
    amount: str


class Receipts(Reaction, workers=1):
    """One event after the other."""

    def __init__(self, receipts: Documents[Receipt]) -> None:
        self.receipts = receipts

    @on
    async def deposited(self, event: MoneyDeposited, envelope: Envelope) -> None:
        amount = str(event.amount.amount)
        await self.receipts.save(Receipt(id=envelope.id, account_id=envelope.aggregate_id, amount=amount))


class ManyReceipts(Receipts, workers=8):
    """Eight events at the same time."""


def measure() -> Sequence[Figure]:
    """Each reaction writes a document in a transaction of its own, which is the raw limit, too."""
    with tempfile.TemporaryDirectory() as name, Runner() as loop:
        folder, numbers = Path(name), itertools.count()
        loop.run(fill(folder, _ACCOUNTS, _EVENTS))

        def handled(reaction: type[Receipts]) -> float:
            documents = f"documents-{next(numbers)}.db"
            return loop.run(catch_up(folder, reaction, documents=documents, add=lambda it: _add(it, reaction)))

        handled(Receipts)  # the documents to copy
        model = folder / "documents-0.db"
        receipts = rows(model, "SELECT * FROM receipts")

        def by_hand() -> float:
            with RawFile(folder / f"raw-{next(numbers)}.db", model) as file:
                return _write(file, receipts)

        one, eight, raw = in_turns([lambda: handled(Receipts), lambda: handled(ManyReceipts), by_hand], _ROUNDS)
    return [
        compare("reactions a second, 1 worker | a commit for each document by hand", one, raw),
        compare("reactions a second, 8 workers | a commit for each document by hand", eight, raw),
    ]


def _add(builder: WebApplicationBuilder, reaction: type[Receipts]) -> None:
    builder._add_document(DocumentType(Receipt))
    add_subscriber(builder.services, SubscriberType.read(reaction), ["bank_account-"], builder.settings.lease_seconds)


def _write(file: RawFile, receipts: Sequence[Row]) -> float:
    start = time.perf_counter()
    for receipt in receipts:
        with file.commit():
            file.insert("receipts", receipt)
    return len(receipts) / (time.perf_counter() - start)
