"""Money is exact, in one currency, and has exactly two decimals."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from openbank.domain.errors import CurrencyMismatch, InvalidAmount
from openbank.domain.models.money import Currency, Money
from tests.openbank.builders import eur

cents = st.integers(min_value=-(10**15), max_value=10**15)


def of_cents(count: int) -> Money:
    return eur(Decimal(count).scaleb(-2))


def in_cents(money: Money) -> int:
    return int(money.amount.scaleb(2))


@given(cents, cents)
def test_sums_and_differences_are_exact(one: int, other: int) -> None:
    assert in_cents(of_cents(one) + of_cents(other)) == one + other
    assert in_cents(of_cents(one) - of_cents(other)) == one - other


@given(cents, cents)
def test_order_is_that_of_the_amounts(one: int, other: int) -> None:
    assert (of_cents(one) < of_cents(other)) == (one < other)
    assert (of_cents(one) > of_cents(other)) == (one > other)
    assert (of_cents(one) == of_cents(other)) == (one == other)


@given(cents)
def test_there_are_two_decimals_and_no_negative_zero(count: int) -> None:
    for result in (of_cents(count), of_cents(count) - of_cents(count), Money(Decimal("-0.00"), Currency.EUR)):
        assert result.amount.as_tuple().exponent == -2
        assert result.amount != 0 or not result.amount.is_signed()
        assert not str(result).startswith("-0.00")


@given(st.decimals())
def test_what_is_accepted_is_finite_and_unchanged(amount: Decimal) -> None:
    try:
        money = Money(amount, Currency.EUR)
    except InvalidAmount:
        assert not amount.is_finite() or abs(amount) >= Decimal(10) ** 26 or amount != round(amount, 2)
    else:
        assert money.amount == amount
        assert money.amount.as_tuple().exponent == -2


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "0.001", "1E+400", "1E-400", "1" * 30])
def test_what_is_not_finite_or_finer_than_a_cent_is_refused(amount: str) -> None:
    with pytest.raises(InvalidAmount):
        eur(amount)


@pytest.mark.parametrize("amount", ["-0", "-0.00", "0E+2", "-0E-2"])
def test_zero_is_zero_however_it_is_written(amount: str) -> None:
    assert str(eur(amount)) == "0.00 EUR"


def test_a_sum_too_large_to_be_exact_is_refused() -> None:
    most = eur("9" * 26 + ".99")

    with pytest.raises(InvalidAmount):
        most + most


@given(cents, cents)
def test_currencies_never_mix(one: int, other: int) -> None:
    dollars = Money(Decimal(other).scaleb(-2), Currency.USD)

    for operation in (Money.__add__, Money.__sub__, Money.__lt__, Money.__gt__):
        with pytest.raises(CurrencyMismatch):
            operation(of_cents(one), dollars)
    assert of_cents(one) != dollars


@pytest.mark.parametrize("amount", ["0", "-0.01", "-5", "1000000000000"])
def test_only_a_positive_amount_below_the_limit_can_be_moved(amount: str) -> None:
    with pytest.raises(InvalidAmount):
        eur(amount).require_positive()


@pytest.mark.parametrize("amount", ["0.01", "999999999999.99"])
def test_the_smallest_and_the_largest_amount_can_be_moved(amount: str) -> None:
    eur(amount).require_positive()
