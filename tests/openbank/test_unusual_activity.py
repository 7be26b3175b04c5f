"""The pipeline that watches debits, on a clock that is moved by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.v1.event import CloudEvent
from reactivex import Subject
from reactivex.testing import TestScheduler

from openbank.application.reactions.unusual_activity import ActivityLimits, UnusualActivity, unusual_activity

LIMITS = ActivityLimits(debits=2, window_seconds=60)
START = datetime(2025, 1, 31, tzinfo=UTC)


class Bank:
    """What happens, and what is told."""

    def __init__(self) -> None:
        self.told: list[UnusualActivity] = []
        self.scheduler = TestScheduler()
        self._events: Subject[CloudEvent] = Subject()
        unusual_activity(self._events, LIMITS, self.scheduler).subscribe(self.told.append)

    def debit(self, second: float, account: str = "a", type: str = "io.openbank.money-withdrawn.v1") -> None:
        self.scheduler.advance_to(second)
        time = START + timedelta(seconds=second)
        self._events.on_next(CloudEvent({"source": "/b", "type": type, "subject": account, "time": time}, None))

    @property
    def accounts(self) -> list[str]:
        return [unusual.account_id for unusual in self.told]


@pytest.mark.parametrize(
    ("seconds", "times"),
    [
        ([0, 1], 0),
        ([0, 1, 2], 1),
        ([0, 59, 60], 1),
        ([0, 1, 61], 0),
        ([0, 50, 100, 150, 200], 0),
        ([0, 50, 55, 59], 1),
        ([0, 1, 2, 3, 4, 5], 1),
        ([0, 1, 2, 100, 101, 102], 2),
    ],
)
def test_more_debits_than_usual_within_a_window_are_told_once_in_a_window(seconds: list[float], times: int) -> None:
    bank = Bank()
    for second in seconds:
        bank.debit(second)

    assert bank.told == [UnusualActivity(account_id="a", debits=3, window_seconds=60)] * times


def test_accounts_are_counted_by_themselves() -> None:
    bank = Bank()
    for second in range(2):
        bank.debit(second, "a")
        bank.debit(second, "b")
    bank.debit(3, "b")

    assert bank.accounts == ["b"]


def test_other_events_are_no_debits() -> None:
    bank = Bank()
    for second in range(9):
        bank.debit(second, type="io.openbank.money-deposited.v1")

    assert bank.told == []


def test_given_accounts_that_are_quiet_then_nothing_is_kept_of_them() -> None:
    bank = Bank()
    for account in range(200):
        bank.debit(account / 200, str(account))
    kept = len(bank._events.observers), bank.scheduler.clock
    bank.scheduler.advance_to(1_000)

    bank.debit(1_001, "0")
    bank.debit(1_002, "0")
    assert bank.told == []
    assert kept[0] == 1
    assert len(bank.scheduler._queue) <= 2
