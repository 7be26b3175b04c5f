"""Light means light: what a use case costs to write, and how large the framework may grow.

Counted are lines of code, without blank lines, comments, docstrings and imports.
"""

from pathlib import Path

import pytest

from tests.support.sloc import count, count_definition

ROOT = Path(__file__).parents[2]
BANK = ROOT / "openbank/src/openbank"
FRAMEWORK = ROOT / "framework/src/neuroglia"


def test_the_deposit_use_case_takes_at_most_45_lines() -> None:
    lines = (
        count_definition(BANK / "application/commands/deposit_money.py", "DepositMoney")
        + count_definition(BANK / "application/commands/deposit_money.py", "DepositMoneyHandler")
        + count_definition(BANK / "api/transactions.py", "TransactionsController.deposit")
        + count_definition(BANK / "api/transactions.py", "MovementRequest")
        + count_definition(BANK / "domain/events/accounts.py", "MoneyMoved")
        + count_definition(BANK / "domain/events/accounts.py", "MoneyDeposited")
        + count_definition(BANK / "domain/models/bank_account.py", "BankAccount.deposit")
    )
    assert lines <= 45


def test_the_whole_accounts_slice_takes_at_most_260_lines() -> None:
    commands = [BANK / f"application/commands/{verb}_account.py" for verb in ("open", "freeze", "unfreeze", "close")]
    lines = count(
        BANK / "domain/models/bank_account.py",
        *commands,
        BANK / "application/presenter.py",
        BANK / "application/projections/account_projection.py",
        BANK / "api/accounts.py",
        BANK / "main.py",
    )
    assert lines <= 260


LIMITS = {
    "core": 343,
    "domain": 166,
    "dependency_injection": 350,
    "sqlite": 270,
    "mediation": 203,
    "mapping": 54,
    "documents": 990,
    "event_sourcing": 1800,
    "process_managers": 136,
    "scheduling": 335,
    "idempotency": 142,
    "security": 381,
    "mvc": 418,
    "cloud_events": 395,
    "observability": 195,
    "operations": 537,
    "hosting": 377,
    "testing": 412,
}
"""See docs/adr/0017-what-each-package-may-weigh.md, 0020-jobs-are-work-items-and-times-are-a-row.md and
0025-a-trace-travels-in-the-request-context.md."""


@pytest.mark.parametrize(("package", "most"), LIMITS.items())
def test_the_framework_stays_light(package: str, most: int) -> None:
    assert count(FRAMEWORK / package) <= most


def test_the_stand_in_for_eventstoredb_stays_a_stand_in() -> None:
    assert count(ROOT / "tests/support/eventstoredb") <= 700


def test_every_package_has_its_bound() -> None:
    assert {path.name for path in FRAMEWORK.iterdir() if (path / "__init__.py").exists()} == LIMITS.keys()
