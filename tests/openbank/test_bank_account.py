"""The account's rules, in every state that it can be in."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from neuroglia.domain import DomainError, DomainEvent
from neuroglia.testing import given
from openbank.domain import errors
from openbank.domain.events.accounts import AccountClosed, AccountFrozen, AccountUnfrozen
from openbank.domain.models.bank_account import AccountStatus, BankAccount
from openbank.domain.models.money import Currency, Money
from tests.openbank.builders import CLOSED, FROZEN, UNFROZEN, deposited, eur, opened, withdrawn

Decision = Callable[[BankAccount], object]
OPEN = (opened(),)
THAWED = (opened(), FROZEN, UNFROZEN)


def deposit(account: BankAccount) -> object:
    return account.deposit(eur("1"), "")


def withdraw(account: BankAccount) -> object:
    return account.withdraw(eur("1"), "")


def freeze(account: BankAccount) -> object:
    return account.freeze("court order")


def unfreeze(account: BankAccount) -> object:
    return account.unfreeze("settled")


def close(account: BankAccount) -> object:
    return account.close("moved away")


@pytest.mark.parametrize(
    ("history", "decide", "decided"),
    [
        (OPEN, deposit, deposited("1", "1")),
        ((opened(), FROZEN), deposit, deposited("1", "1")),
        (THAWED, deposit, deposited("1", "1")),
        ((opened(overdraft="1"),), withdraw, withdrawn("1", "-1")),
        ((opened(overdraft="1"), FROZEN, UNFROZEN), withdraw, withdrawn("1", "-1")),
        (OPEN, freeze, AccountFrozen(reason="court order")),
        (THAWED, freeze, AccountFrozen(reason="court order")),
        ((opened(), FROZEN), unfreeze, AccountUnfrozen(reason="settled")),
        (OPEN, close, AccountClosed(reason="moved away")),
        (THAWED, close, AccountClosed(reason="moved away")),
        ((opened(), deposited("1", "1"), withdrawn("1", "0")), close, AccountClosed(reason="moved away")),
    ],
)
def test_what_a_state_allows(history: tuple[DomainEvent, ...], decide: Decision, decided: DomainEvent) -> None:
    given(BankAccount, *history).when(decide).then(decided)


@pytest.mark.parametrize(
    ("history", "decide", "refusal"),
    [
        (OPEN, withdraw, errors.InsufficientFunds),
        (OPEN, unfreeze, errors.AccountNotFrozen),
        (THAWED, unfreeze, errors.AccountNotFrozen),
        ((opened(), FROZEN), withdraw, errors.AccountFrozen),
        ((opened(), FROZEN), freeze, errors.AccountFrozen),
        ((opened(), FROZEN), close, errors.AccountFrozen),
        ((opened(), deposited("0.01", "0.01")), close, errors.BalanceNotZero),
        ((opened(overdraft="5"), withdrawn("5", "-5")), close, errors.BalanceNotZero),
        ((opened(), CLOSED), deposit, errors.AccountClosed),
        ((opened(), CLOSED), withdraw, errors.AccountClosed),
        ((opened(), CLOSED), freeze, errors.AccountClosed),
        ((opened(), CLOSED), unfreeze, errors.AccountClosed),
        ((opened(), CLOSED), close, errors.AccountClosed),
    ],
)
def test_what_a_state_refuses(history: tuple[DomainEvent, ...], decide: Decision, refusal: type[DomainError]) -> None:
    given(BankAccount, *history).when(decide).then_refused(refusal)


def test_when_opening_then_the_limit_gives_the_currency() -> None:
    limit = Money(Decimal(20), Currency.CHF)

    account = BankAccount.open("7", "ada", limit)

    assert account.balance == Money.zero(Currency.CHF)
    assert account.available == limit
    assert (account.id, account.owner_id, account.status) == ("7", "ada", AccountStatus.OPEN)


def test_when_opening_with_a_negative_limit_then_it_is_refused() -> None:
    given(BankAccount).when(lambda _: BankAccount.open("7", "ada", eur("-0.01"))).then_refused(errors.InvalidAmount)


@pytest.mark.parametrize("amount", ["0", "-1", "1000000000000"])
@pytest.mark.parametrize("movement", [BankAccount.deposit, BankAccount.withdraw])
def test_when_moving_what_nobody_can_move_then_it_is_refused(
    movement: Callable[[BankAccount, Money, str], object], amount: str
) -> None:
    outcome = given(BankAccount, opened(overdraft="100")).when(lambda account: movement(account, eur(amount), ""))

    outcome.then_refused(errors.InvalidAmount)


@pytest.mark.parametrize("movement", [BankAccount.deposit, BankAccount.withdraw])
def test_when_moving_another_currency_then_it_is_refused(
    movement: Callable[[BankAccount, Money, str], object],
) -> None:
    dollars = Money(Decimal(1), Currency.USD)

    outcome = given(BankAccount, opened(overdraft="100")).when(lambda account: movement(account, dollars, ""))

    outcome.then_refused(errors.CurrencyMismatch)


def test_given_an_overdraft_when_withdrawing_then_it_can_be_used_to_the_cent() -> None:
    history = (opened(overdraft="50"), deposited("10", "10"))

    given(BankAccount, *history).when(lambda it: it.withdraw(eur("60"), "")).then(withdrawn("60", "-50"))
    refusal = given(BankAccount, *history).when(lambda it: it.withdraw(eur("60.01"), ""))

    assert refusal.then_refused(errors.InsufficientFunds).detail == "60.01 EUR was requested, 60.00 EUR is available."


def test_two_accounts_share_nothing() -> None:
    one, other = BankAccount.open("1", "ada", eur("0")), BankAccount.open("2", "ada", eur("0"))

    one.deposit(eur("5"), "")

    assert other.balance == eur("0")
    assert len(other.pending) == 1


class AnyHistory(RuleBasedStateMachine):
    """Whatever is asked for in whatever order: the books are right, and a replay gives the same account."""

    def __init__(self) -> None:
        super().__init__()
        self.account = BankAccount.open("1", "ada", eur("10"))
        self.cents = 0

    @rule(cents=st.integers(min_value=1, max_value=2000))
    def deposit(self, cents: int) -> None:
        try:
            self.account.deposit(eur(Decimal(cents).scaleb(-2)), "")
        except errors.AccountClosed:
            assert self.account.status is AccountStatus.CLOSED
        else:
            self.cents += cents

    @rule(cents=st.integers(min_value=1, max_value=2000))
    def withdraw(self, cents: int) -> None:
        try:
            self.account.withdraw(eur(Decimal(cents).scaleb(-2)), "")
        except errors.InsufficientFunds:
            assert self.cents - cents < -1000
        except (errors.AccountFrozen, errors.AccountClosed):
            assert self.account.status is not AccountStatus.OPEN
        else:
            self.cents -= cents

    @precondition(lambda self: self.account.status is AccountStatus.OPEN)
    @rule()
    def freeze(self) -> None:
        self.account.freeze(None)

    @precondition(lambda self: self.account.status is AccountStatus.FROZEN)
    @rule()
    def unfreeze(self) -> None:
        self.account.unfreeze(None)

    @precondition(lambda self: self.account.status is AccountStatus.OPEN and self.cents == 0)
    @rule()
    def close(self) -> None:
        self.account.close(None)

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.account.balance == eur(Decimal(self.cents).scaleb(-2))
        assert self.cents >= -1000

    @invariant()
    def a_replay_gives_the_same_account(self) -> None:
        again = given(BankAccount, *self.account.pending)._aggregate
        assert (again.balance, again.status) == (self.account.balance, self.account.status)


AnyHistory.TestCase.settings = settings(stateful_step_count=20)
TestAnyHistory = AnyHistory.TestCase
