"""The stored form of every event, to the letter: what was written once must be readable for ever.

Each file in `events` holds the JSON text of one sample as the event store keeps it, under the event's name. A test
that fails here says that the stored form has changed. The remedy is a new version of the event with an upcaster from
the old one, whose file stays; the file of a version that was released is never edited. Where a version only got a new
field with a default, its older text stays beside it, under the name and `~1`.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from neuroglia.core.scanning import classes, import_modules
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventCodec, StoredEvent
from neuroglia.event_sourcing.registration import add_aggregates
from openbank.domain.events import accounts, persons, transfers
from openbank.domain.models.address import Address
from openbank.domain.models.gender import Gender
from openbank.domain.models.money import Currency, Money

FILES: Final = Path(__file__).parent / "events"
DOMAIN: Final = import_modules("openbank.domain")
EVENTS: Final = [kind for kind in classes(DOMAIN, DomainEvent) if "event_type" in vars(kind)]
HOME: Final = Address(
    street="Großer Hirschgraben", number="23a", postal_code="60311", city="Frankfurt", country="DE", state="Hessen"
)
SAMPLES: Final[list[DomainEvent]] = [
    persons.PersonRegistered(
        first_name="José",
        last_name='O"Neil',
        nationality="IE",
        date_of_birth=date(1990, 2, 28),
        gender=Gender.OTHER,
        address=HOME,
    ),
    persons.PersonAddressChanged(
        address=Address(street="Rue de l'Église", number="007", postal_code="01000", city="Bourg", country="FR")
    ),
    accounts.AccountOpened(owner_id="ada", overdraft_limit=Money(Decimal(1000), Currency.EUR)),
    accounts.MoneyDeposited(
        amount=Money(Decimal("12.5"), Currency.CHF),
        balance_after=Money(Decimal("123456789012.34"), Currency.CHF),
        reference="東京 & Söhne",
        leg=accounts.Leg("t-1", "a-2"),
    ),
    accounts.MoneyWithdrawn(
        amount=Money(Decimal("0.01"), Currency.USD), balance_after=Money(Decimal(-10), Currency.USD), reference=""
    ),
    accounts.AccountFrozen(reason="lost card"),
    accounts.AccountUnfrozen(reason=None),
    accounts.AccountClosed(reason=None),
    transfers.TransferRequested(
        from_account_id="a-1", to_account_id="a-2", amount=Money(Decimal("12.5"), Currency.EUR), reference="rent"
    ),
    transfers.TransferDebited(
        from_account_id="a-1", to_account_id="a-2", amount=Money(Decimal(7), Currency.USD), reference=""
    ),
    transfers.TransferCompleted(),
    transfers.TransferRejected(reason="insufficient-funds"),
    transfers.TransferRefunded(reason="account-closed"),
]


@pytest.fixture(scope="module")
def codec() -> EventCodec:
    services = ServiceCollection()
    add_aggregates(services, DOMAIN)
    return next(one.instance for one in services.registrations if one.service is EventCodec)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_a_sample_when_encoding_then_it_is_the_golden_text(codec: EventCodec, sample: DomainEvent) -> None:
    assert codec.encode(sample).decode() == _golden(sample.event_type)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_the_golden_text_when_decoding_then_it_is_the_sample(codec: EventCodec, sample: DomainEvent) -> None:
    assert codec.decode(_stored(sample.event_type)) == sample


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.stem)
def test_given_what_was_ever_stored_when_decoding_then_it_can_be_read(codec: EventCodec, file: Path) -> None:
    assert isinstance(codec.decode(_stored(file.stem)), DomainEvent)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_given_an_event_of_the_domain_then_it_has_a_sample_and_a_golden_text(kind: type[DomainEvent]) -> None:
    assert kind in {type(sample) for sample in SAMPLES}, f"add a {kind.__name__} to SAMPLES"
    assert (FILES / f"{kind.event_type}.json").exists(), f"add its stored form as {kind.event_type}.json"


def _golden(name: str) -> str:
    return (FILES / f"{name}.json").read_text(encoding="utf-8").removesuffix("\n")


def _stored(name: str) -> StoredEvent:
    return StoredEvent(
        position=0, stream="golden-1", revision=0, id="e", type=name.partition("~")[0], data=_golden(name).encode(),
        recorded_at=datetime(2025, 1, 31, tzinfo=UTC), correlation_id="golden", causation_id=None, actor="test",
    )  # fmt: skip
