"""What must hold of the whole bank, whatever happened to it: checked from the events alone."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal

from neuroglia.core.scanning import import_modules
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.event_sourcing import EventCodec, EventStore
from neuroglia.event_sourcing.registration import add_aggregates
from neuroglia.testing import RunningService
from openbank.domain.events.accounts import MoneyDeposited, MoneyMoved, TransactionType
from openbank.domain.models.transfer import Transfer, TransferStatus

OUT, IN, REFUND = TransactionType.TRANSFER_OUT, TransactionType.TRANSFER_IN, TransactionType.REFUND
LEGS = {
    TransferStatus.COMPLETED: ({OUT: 1, IN: 1},),
    TransferStatus.REFUNDED: ({OUT: 1, REFUND: 1},),
    TransferStatus.REJECTED: ({}, {OUT: 1, REFUND: 1}),
}
"""The movements of a transfer that has ended so."""


async def money_is_conserved(bank: RunningService) -> Counter[TransferStatus]:
    """Every balance is the sum of its movements, all balances are what came in and went out at the counter, and every
    transfer is final, with the movements that belong to its end. Returns how many transfers ended how."""
    store, codec = await bank.services.get(EventStore), await bank.services.get(EventCodec)
    return how_they_ended(await conserved(store, codec))


def how_they_ended(transfers: Mapping[str, Transfer]) -> Counter[TransferStatus]:
    """How many transfers are in which state."""
    return Counter(transfer.status for transfer in transfers.values())


async def conserved(store: EventStore, codec: EventCodec) -> Mapping[str, Transfer]:
    """See `money_is_conserved`. Returns all transfers by their ids."""
    balances: dict[str, Decimal] = defaultdict(Decimal)
    legs: dict[str, Counter[TransactionType]] = defaultdict(Counter)
    transfers: dict[str, Transfer] = {}
    outside, position = Decimal(0), -1
    while True:
        batch = await store.read_all(after=position)
        for stored in batch.events:
            envelope = codec.open(stored)
            event, id = envelope.event, envelope.aggregate_id
            if isinstance(event, MoneyMoved):
                signed = event.amount.amount if isinstance(event, MoneyDeposited) else -event.amount.amount
                balances[id] += signed
                assert event.balance_after.amount == balances[id], f"{stored.stream}@{stored.revision}"
                if event.leg:
                    legs[event.leg.transfer_id][event.type] += 1
                else:
                    outside += signed
            elif stored.stream.startswith("transfer-"):
                transfers.setdefault(id, Transfer(id)).replay(event, stored.revision, stored.recorded_at)
        if batch.caught_up:
            break
        position = batch.events[-1].position
    assert legs.keys() <= transfers.keys()
    for id, transfer in transfers.items():
        assert transfer.status.is_final, f"{id} is stuck in {transfer.status}"
        assert dict(legs[id]) in LEGS[transfer.status], f"{id} {transfer.status}: {legs[id]}"
    assert sum(balances.values()) == outside
    return transfers


def openbank_codec() -> EventCodec:
    """What reads the bank's events, without the bank."""
    services = ServiceCollection()
    add_aggregates(services, import_modules("openbank.domain"))
    return next(one.instance for one in services.registrations if one.service is EventCodec)
