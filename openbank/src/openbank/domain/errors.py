"""How the bank says no. Codes are part of the public contract."""

from typing import ClassVar

from neuroglia.domain import RuleViolation, StateConflict


class InvalidAmount(RuleViolation):
    """An amount of money that nobody can move or owe."""

    code: ClassVar[str] = "invalid-amount"

    def __init__(self) -> None:
        super().__init__("An amount is positive, below 1,000,000,000,000.00, and has at most two decimals.")


class CurrencyMismatch(RuleViolation):
    """Two currencies were mixed."""

    code: ClassVar[str] = "currency-mismatch"

    def __init__(self, ours: str, theirs: str) -> None:
        super().__init__(f"This is held in {ours}; {theirs} cannot be mixed with it.")


class InsufficientFunds(RuleViolation):
    """A debit would take the balance below the overdraft limit."""

    code: ClassVar[str] = "insufficient-funds"

    def __init__(self, *, available: object, requested: object) -> None:
        super().__init__(f"{requested} was requested, {available} is available.")


class SameAccount(RuleViolation):
    """A transfer from an account to itself."""

    code: ClassVar[str] = "same-account"

    def __init__(self) -> None:
        super().__init__("A transfer goes from one account to another.")


class UnknownOwner(RuleViolation):
    """An account was to be opened for nobody."""

    code: ClassVar[str] = "unknown-owner"

    def __init__(self) -> None:
        super().__init__("There is no person with this id; register the owner first.")


class InvalidDateOfBirth(RuleViolation):
    """A person who is not born yet, or older than anybody ever was."""

    code: ClassVar[str] = "invalid-date-of-birth"

    def __init__(self) -> None:
        super().__init__("A date of birth lies in the past, at most 130 years ago.")


class AccountFrozen(StateConflict):
    """The account takes no debits, and cannot be closed, while it is frozen."""

    code: ClassVar[str] = "account-frozen"

    def __init__(self) -> None:
        super().__init__("The account is frozen.")


class AccountNotFrozen(StateConflict):
    """Only a frozen account can be unfrozen."""

    code: ClassVar[str] = "account-not-frozen"

    def __init__(self) -> None:
        super().__init__("The account is not frozen.")


class AccountClosed(StateConflict):
    """A closed account takes part in nothing any more."""

    code: ClassVar[str] = "account-closed"

    def __init__(self) -> None:
        super().__init__("The account is closed.")


class BalanceNotZero(StateConflict):
    """An account with money on it, or with a debt, cannot be closed."""

    code: ClassVar[str] = "balance-not-zero"

    def __init__(self, balance: object) -> None:
        super().__init__(f"The balance is {balance}; an account is closed with nothing on it.")


class TransferAlready(StateConflict):
    """The transfer has gone another way."""

    code: ClassVar[str] = "transfer-already-settled"

    def __init__(self, status: str) -> None:
        super().__init__(f"The transfer is {status} already.")
