"""Money: an exact amount in one currency."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from typing_extensions import override

from openbank.domain.errors import CurrencyMismatch, InvalidAmount

_CENT: Final = Decimal("0.01")
_TOO_MUCH: Final = Decimal(10) ** 12
_DIGITS: Final = 26  # before the point; with the two behind it, all that a Decimal of the usual context has


class Currency(StrEnum):
    """The currencies of this bank (ISO 4217), all with two decimals."""

    AUD = "AUD"
    CAD = "CAD"
    CHF = "CHF"
    CZK = "CZK"
    DKK = "DKK"
    EUR = "EUR"
    GBP = "GBP"
    NOK = "NOK"
    NZD = "NZD"
    PLN = "PLN"
    SEK = "SEK"
    USD = "USD"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with exactly two decimals. May be negative: a balance can be overdrawn."""

    amount: Decimal
    currency: Currency

    def __post_init__(self) -> None:
        """Fixes the number of decimals.

        Raises:
            InvalidAmount: the amount is not finite or finer than a cent.
        """
        amount = self.amount
        if amount and amount.same_quantum(_CENT) and amount.adjusted() < _DIGITS:  # as nearly always: it is exact
            return
        try:
            exact = self.amount.quantize(_CENT)
        except InvalidOperation:  # NaN, Infinity, more digits than can be exact
            raise InvalidAmount from None
        if exact != self.amount:
            raise InvalidAmount
        object.__setattr__(self, "amount", exact + 0)  # + 0: there is no negative zero

    @classmethod
    def zero(cls, currency: Currency) -> "Money":
        """Nothing, in this currency."""
        return cls(Decimal(0), currency)

    def require_positive(self) -> None:
        """Checks that this can be moved.

        Raises:
            InvalidAmount: it is zero, negative, or absurdly large.
        """
        if not 0 < self.amount < _TOO_MUCH:
            raise InvalidAmount

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    @override
    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount
