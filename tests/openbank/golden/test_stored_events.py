"""The stored form of every event of the bank. See `tests.support.golden`: its files are never edited."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventCodec
from openbank.domain.events import accounts, persons, transfers
from openbank.domain.models.address import Address
from openbank.domain.models.gender import Gender
from openbank.domain.models.money import Currency, Money
from tests.support.golden import Golden

GOLDEN: Final = Golden("openbank.domain", Path(__file__).parent / "events")
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
    return GOLDEN.codec()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_a_sample_when_encoding_then_it_is_the_golden_text(codec: EventCodec, sample: DomainEvent) -> None:
    assert codec.encode(sample).decode() == GOLDEN.text(sample.event_type)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_the_golden_text_when_decoding_then_it_is_the_sample(codec: EventCodec, sample: DomainEvent) -> None:
    assert codec.decode(GOLDEN.stored(sample.event_type)) == sample


@pytest.mark.parametrize("file", GOLDEN.files, ids=lambda file: file.stem)
def test_given_what_was_ever_stored_when_decoding_then_it_can_be_read(codec: EventCodec, file: Path) -> None:
    assert isinstance(codec.decode(GOLDEN.stored(file.stem)), DomainEvent)


@pytest.mark.parametrize("kind", GOLDEN.events, ids=lambda kind: kind.__name__)
def test_given_an_event_of_the_domain_then_it_has_a_sample_and_a_golden_text(kind: type[DomainEvent]) -> None:
    assert kind in {type(sample) for sample in SAMPLES}, f"add a {kind.__name__} to SAMPLES"
    assert GOLDEN.has(kind), f"add its stored form as {kind.event_type}.json"
